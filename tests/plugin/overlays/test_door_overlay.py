"""The door for overlays: a toy joins by its row alone, in the window and without one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from napari.layers import Points, Vectors
from scipy.ndimage import center_of_mass

from napari_drdm.explorer.remembered import remember
from napari_drdm.explorer.result_layers import ResultLayers
from napari_drdm.overlays.kinds import KINDS, field_needed
from napari_drdm.overlays.lines import Lines, line_width, lines_content
from napari_drdm.overlays.overlay import LayerContent, Overlay
from napari_drdm.settings import Remembered, load_settings
from tests.support.centroids import CENTROIDS, centroids
from tests.support.overlays import SHAPE, blocks, opened, wave
from tests.support.paths import ROOT
from tests.support.windows import settle


def expected(labels: np.ndarray) -> np.ndarray:
    values = [value for value in np.unique(labels) if value]
    return np.array([center_of_mass(labels == value) for value in values])


def state(layer) -> tuple:
    """All that a user could see of a layer."""
    return layer.name, layer.visible, layer.opacity, layer.data.tobytes(), repr(layer.metadata)


@pytest.fixture
def built(monkeypatch) -> list[int]:
    """The toy's row is in the table; how often it was built."""
    calls: list[int] = []

    def build(moment, index, view, style):
        calls.append(index)
        return centroids(moment, index, view, style)

    monkeypatch.setitem(KINDS, "centroids", replace(CENTROIDS, build=build))
    return calls


def test_a_row_is_all_that_the_window_needs(window, built):
    viewer, explorer = window()
    users = [(layer, state(layer)) for layer in viewer.layers]
    settle(explorer)
    source, panel = explorer.sources.image.value(), explorer.show_panel
    box = panel.boxes["centroids"]
    assert box.text() == "centroids" and box.toolTip() == CENTROIDS.tooltip
    assert box.isVisibleTo(panel) and not box.isChecked()
    explorer.generate()
    settle(explorer)
    assert "centroids" not in explorer.results.layers(source) and not built
    box.click()
    settle(explorer)
    made = explorer.results.layers(source)
    points = made["centroids"]
    assert isinstance(points, Points) and points.visible and points in viewer.layers
    assert points.name == "heart | drdm centroids" and np.array_equal(points.scale, source.scale)
    assert explorer.results.owns(points) and "centroids: red" in panel.legend.text()
    before = np.array(points.data)
    assert np.allclose(before, expected(made["labels"].data))
    explorer.options.seed.setValue(2)
    settle(explorer)
    assert explorer.results.layers(source)["centroids"] is points  # in place
    assert np.allclose(points.data, expected(made["labels"].data))
    assert not np.array_equal(points.data, before)
    assert "centroids" in load_settings(Remembered).shown
    assert viewer.layers.index(points) > viewer.layers.index(made["labels"])
    box.click()
    assert not points.visible and "centroids" not in panel.legend.text()
    count = len(built)
    explorer.options.seed.setValue(3)
    settle(explorer)
    assert not points.visible and len(built) == count  # not computed while it is not ticked
    assert [state(layer) for layer, _ in users] == [seen for _, seen in users]


def test_what_is_ticked_is_remembered(window, built):
    _, explorer = window()
    settle(explorer)
    explorer.show_panel.boxes["centroids"].click()
    remember(explorer)
    assert load_settings(Remembered).shown == {"image", "labels", "centroids"}


def test_each_label_map_has_a_layer_and_lies_as_it_does(built, moment_of):
    viewer, image, labels = opened()
    more = viewer.add_labels(blocks() * 2, name="tumour", scale=labels.scale)
    moment = moment_of(image, wave, labels)
    both = (moment.labels[0], 2 * moment.labels[0])
    request = replace(moment.request, extras=(more,))
    results = ResultLayers(viewer)
    results.show(replace(moment, labels=both, request=request), {"centroids"})
    made = results.layers(image)
    assert list(made) == ["centroids", "centroids 2"]
    assert made["centroids 2"].name == "tumour | drdm centroids"
    assert np.allclose(made["centroids"].data, expected(both[0]))
    results.show(replace(moment, labels=()), {"centroids"})  # its data are gone
    assert not any(layer.visible for layer in made.values())


def test_what_follows_the_view_is_built_again_for_another_slice(monkeypatch, moment_of):
    """A toy of lines, with what varies and what a row may ask for."""

    def plumb(moment, index, view, style):
        axis, place = view.fixed[0]
        start = np.zeros(3)
        start[axis] = place
        line = np.array([[start, np.eye(3)[(axis + 1) % 3] * style.lines]])
        width = line_width(SHAPE, (1.0, 1.0, 1.0), view.shown)
        return lines_content(Lines(line, width), metadata={"plumb": place})

    row = Overlay(
        "plumb", "plumb", "", ("displacement",), plumb, Vectors,
        controls=("lines",), follows_view=True,
    )  # fmt: skip
    monkeypatch.setitem(KINDS, "plumb", row)
    viewer, image, _ = opened()
    assert field_needed({"image", "plumb"}) and not field_needed({"image", "contours"})
    results = ResultLayers(viewer)
    results.show(moment_of(image, wave), {"plumb"})
    layer = results.layers(image)["plumb"]
    before = layer.metadata["drdm"]["plumb"]
    viewer.dims.set_current_step(0, before + 3)
    results.follow()
    assert results.layers(image)["plumb"] is layer
    assert layer.metadata["drdm"]["plumb"] == layer.data[0, 0, 0] == before + 3
    results.show(moment_of(image, wave, displacement=None), {"plumb"})
    assert not layer.visible


def test_a_name_is_one_word():
    with pytest.raises(ValueError, match="one word, got 'mid line'"):
        replace(CENTROIDS, name="mid line")


def test_other_axes_ask_for_a_new_layer(moment_of):
    _, image, labels = opened()
    layer = Points(np.zeros((2, 2)))
    content = LayerContent(np.zeros((2, 3)))
    assert CENTROIDS.update(layer, content, moment_of(image, wave, labels)) is False
    assert CENTROIDS.update(layer, LayerContent(np.ones((4, 2))), None) is True
    assert layer.data.shape == (4, 2)


def test_the_guide_shows_this_overlay():
    code = (ROOT / "tests" / "support" / "centroids.py").read_text("utf-8")
    pages = [lines_of(page.read_text("utf-8")) for page in (ROOT / "docs").rglob("*.md")]
    assert any(lines_of(code.split('"""', 2)[2]) in page for page in pages)


def lines_of(text: str) -> str:
    """A text without its empty lines."""
    return "\n".join(line for line in text.splitlines() if line.strip())
