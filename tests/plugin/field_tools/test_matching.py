"""Which image and field a command picks, and what it says where their grids differ."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("napari")

from napari.components import ViewerModel
from napari.layers import Image

from napari_drdm.field_tools.forms import GRID_NOTE
from napari_drdm.field_tools.matching import grid_warning, likely_pair
from napari_drdm.layers.field_layers import DenseField, field_layer, field_of
from napari_drdm.widgets.message_line import MessageLine
from napari_drdm.widgets.spoken_names import focusable, spoken_name
from src_core.cases.grid import Grid

AFFINE = np.array([[-1.4, 0.2, 0, 30], [0.2, 1.4, 0, -12], [0, 0, 6, 4], [0, 0, 0, 1.0]])
SHAPE = (14, 12, 5)


def image(name: str, affine: Any, shape: tuple[int, int, int] = SHAPE) -> Image:
    spacing = np.linalg.norm(affine[:3, :3], axis=0)[::-1]
    metadata = {"drdm": {"affine": affine}}
    return Image(np.ones(shape[::-1]), name=name, scale=spacing, metadata=metadata)


def field(name: str, affine: Any) -> Any:
    from napari.layers import Vectors

    dense = DenseField(np.zeros((*SHAPE, 3), np.float32), Grid(SHAPE, affine))
    data, settings, _ = field_layer(dense, name)
    return Vectors(data, **settings)


@pytest.fixture
def viewer() -> ViewerModel:
    """Two images and two fields; the second of each are on one grid, elsewhere."""
    made, moved = ViewerModel(), AFFINE.copy()
    moved[:3, 3] += 3
    far = AFFINE @ np.diag([1, 1, 2, 1.0])
    for layer in (image("a", AFFINE), image("b", moved), field("u", far), field("v", moved)):
        made.add_layer(layer)
    made.layers.selection.clear()
    return made


def names(viewer: ViewerModel) -> tuple[str, ...]:
    return tuple(layer.name for layer in likely_pair(viewer) if layer is not None)


def test_those_on_one_grid_go_together(viewer: ViewerModel) -> None:
    assert names(viewer) == ("b", "v")


@pytest.mark.parametrize(
    ("chosen", "pair"),
    [("a", ("a", "u")), ("b", ("b", "v")), ("u", ("a", "u")), ("v", ("b", "v")),
     ("au", ("a", "u")), ("bu", ("b", "u"))],
)  # fmt: skip
def test_what_is_selected_counts_first(
    viewer: ViewerModel, chosen: str, pair: tuple[str, str]
) -> None:
    viewer.layers.selection = {viewer.layers[name] for name in chosen}
    assert names(viewer) == pair


def test_an_image_or_a_field_alone(viewer: ViewerModel) -> None:
    for name in "ub":
        viewer.layers.remove(name)
    viewer.layers.remove("a")
    assert names(viewer) == ("v",)
    viewer.layers.remove("v")
    assert likely_pair(viewer) == (None, None)


def test_grids_that_differ_are_reported(viewer: ViewerModel) -> None:
    a, b, v = (viewer.layers[name] for name in "abv")
    assert grid_warning(b, field_of(v)) == ""
    assert grid_warning(a, field_of(v)).startswith("Grids differ: a 14 x 12 x 5 voxels of")
    plain = Image(np.ones((3, 9, 9)), name="plain")
    assert "is unknown: check the result" in grid_warning(plain, field_of(v))
    assert grid_warning(None, field_of(v)) == grid_warning(a, None) == ""


def test_the_command_takes_what_is_selected_and_warns(
    make_napari_viewer_proxy: Any, viewer: ViewerModel
) -> None:
    from napari._app_model import get_app_model

    shown = make_napari_viewer_proxy()
    for layer in viewer.layers:
        shown.add_layer(layer)
    shown.layers.selection = {viewer.layers["a"]}
    apply = get_app_model().commands.execute_command
    apply("napari-drdm.apply_field").result()
    form = shown.window.dock_widgets["Apply displacement field"]
    assert (form.image.value.name, form.field.value.name) == ("a", "u")
    line = form.native.findChild(MessageLine, GRID_NOTE)
    assert line.text().startswith("Grids differ: a 14 x 12 x 5 voxels of")
    shown.layers.selection = {viewer.layers["b"]}
    apply("napari-drdm.apply_field").result()
    assert (form.image.value.name, form.field.value.name) == ("b", "v") and not line.text()
    assert [w for w in focusable(form.native) if not spoken_name(w)] == []
