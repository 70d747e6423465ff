"""Result layers in a viewer without a window: made once, updated in place, the user's untouched."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image, Labels, Vectors

from napari_drdm.explorer.result_layers import ResultLayers
from napari_drdm.layers.cases import make_case
from napari_drdm.layers.snapshots import take_snapshot
from napari_drdm.overlays.kinds import KINDS
from napari_drdm.runs.compute import Compute
from napari_drdm.runs.requests import Failure, RunOutcome, RunRequest, Viewed
from src_core.generation import Options, generate, make_options
from src_core.models.library import load_model
from tests.support import tiny

ALL = set(KINDS)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.save(tmp_path_factory.mktemp("models"), recovery={"steps": 2})


def scene(shape=(4, 52, 44), scale=(8, 1.4, 1.4), **placed) -> tuple[ViewerModel, Image, Labels]:
    """A viewer with a bright box and its labels; (T, Z, Y, X) or shorter."""
    values = np.random.default_rng(0).integers(0, 50, shape).astype(np.int16)
    box = np.zeros(shape, np.uint8)
    box[..., 15:35, 12:30] = 2
    viewer = ViewerModel()
    image = viewer.add_image(
        values + 200 * box,
        name="heart",
        scale=scale[-len(shape) :],
        colormap="magma",
        contrast_limits=(10, 400),
        **placed,
    )
    labels = viewer.add_labels(box, name="heart labels", scale=scale[-len(shape) :], **placed)
    return viewer, image, labels


def run(model: Path, image: Image, labels: Labels | None = None, **options) -> RunOutcome:
    snapshot = take_snapshot(image, labels).copied()
    request = RunRequest(snapshot, model, make_options(80, **options), image, labels)
    layer_case = make_case(snapshot)
    return RunOutcome(request, layer_case, generate(layer_case.case, load_model(model), **options))


def state(viewer: ViewerModel, *layers) -> list[object]:
    return [
        (layer.name, layer.visible, layer.opacity, layer.scale.tolist(), layer in viewer.layers,
         hashlib.sha256(np.ascontiguousarray(layer.data).tobytes()).hexdigest())
        for layer in layers
    ]  # fmt: skip


def test_layers_are_made_once_and_updated_in_place(model):
    viewer, image, labels = scene()
    before = state(viewer, image, labels)
    results = ResultLayers(viewer)
    results.show(run(model, image, labels, seed=1), ALL)
    first = results.layers(image)
    assert [layer.name for layer in viewer.layers[2:]] == [f"heart | drdm {k}" for k in KINDS]
    old = first["image"].data.copy()
    outcome = run(model, image, labels, seed=2)
    results.show(outcome, ALL)
    assert results.layers(image) == first and len(viewer.layers) == 2 + len(KINDS)
    assert not np.array_equal(first["image"].data, old)
    assert np.array_equal(first["image"].data, outcome.result.case.image.T)
    assert np.array_equal(first["labels"].data, outcome.result.case.label_map.T)
    assert np.array_equal(first["Jacobian"].data, outcome.result.jacobian.T)
    assert state(viewer, image, labels) == before
    assert all(results.owns(layer) for layer in first.values()) and not results.owns(image)


def test_new_layers_look_and_lie_as_their_source(model):
    turn = np.array([[1, 0, 0], [0, 0.8, -0.6], [0, 0.6, 0.8]])
    viewer, image, labels = scene(rotate=turn, translate=(3, -2, 7), units=("mm", "mm", "mm"))
    results = ResultLayers(viewer)
    results.show(run(model, image, labels), ALL)
    made = results.layers(image)
    for layer in made.values():
        assert np.allclose(layer.data_to_world((1, 2, 3)), image.data_to_world((1, 2, 3)))
        assert layer.units == image.units and layer.axis_labels == image.axis_labels
    assert made["image"].colormap.name == "magma"
    assert tuple(made["image"].contrast_limits) == (10, 400)
    assert made["labels"].data.dtype == labels.data.dtype
    assert made["labels"].colormap.map(2).tolist() == labels.colormap.map(2).tolist()
    assert tuple(made["Jacobian"].contrast_limits) == (0, 4)


def test_only_what_is_ticked_is_made(model):
    viewer, image, _ = scene()
    results = ResultLayers(viewer)
    results.show(run(model, image), {"image", "labels", "arrows"})
    assert set(results.layers(image)) == {"image", "arrows"}
    results.tick(image, {"Jacobian"})
    made = results.layers(image)
    assert [made[k].visible for k in ("image", "arrows", "Jacobian")] == [False, False, True]


def test_arrows_follow_the_plane(model):
    viewer, image, _ = scene()
    viewer.dims.set_current_step(0, 1)
    results = ResultLayers(viewer)
    outcome = run(model, image)
    results.show(outcome, {"arrows"})
    arrows = results.layers(image)["arrows"]
    assert isinstance(arrows, Vectors) and (arrows.data[:, 0, 0] == 1).all()
    assert 100 < len(arrows.data) <= 2000 and (arrows.data[:, 1, 0] == 0).all()
    at = tuple(arrows.data[7, 0].astype(int))
    u = outcome.result.displacement[at[::-1]]
    assert np.linalg.norm(u) == pytest.approx(arrows.features["mm"][7])
    assert np.allclose(arrows.data[7, 1, ::-1] * (1.4, 1.4, 8), u, atol=1e-4)
    viewer.dims.set_current_step(0, 3)
    results.follow()
    assert results.layers(image)["arrows"] is arrows and (arrows.data[:, 0, 0] == 3).all()
    viewer.dims.order = (2, 0, 1)
    results.follow()
    assert len(np.unique(arrows.data[:, 0, 2])) == 1 and len(np.unique(arrows.data[:, 0, 0])) > 1
    limits = arrows.edge_contrast_limits
    results.show(run(model, image, seed=5, level=20), {"arrows"})
    assert arrows.edge_contrast_limits == limits


def test_a_deleted_result_layer_comes_back(model):
    viewer, image, _ = scene()
    results = ResultLayers(viewer)
    results.show(run(model, image), {"image"})
    viewer.layers.remove(results.layers(image)["image"])
    results.show(run(model, image, seed=2), {"image"})
    assert results.layers(image)["image"] in viewer.layers


def test_a_source_of_another_shape_gets_new_layers(model):
    viewer, image, _ = scene()
    results = ResultLayers(viewer)
    results.show(run(model, image), {"image", "Jacobian"})
    image.data = image.data[:, :-3]
    results.show(run(model, image), {"image", "Jacobian"})
    assert results.layers(image)["image"].data.shape == image.data.shape
    assert len(viewer.layers) == 4


@pytest.mark.parametrize("shape", [(52, 44), (3, 2, 52, 44)])
def test_pictures_and_cines(model, shape):
    viewer, image, labels = scene(shape, (1, 8, 1.4, 1.2))
    results = ResultLayers(viewer)
    outcome = run(model, image, labels)
    results.show(outcome, ALL)
    made = results.layers(image)
    assert made["image"].data.shape == made["labels"].data.shape == shape
    assert made["Jacobian"].data.shape == shape[-3:]
    assert made["arrows"].ndim == len(shape[-3:])
    assert np.allclose(made["arrows"].scale, image.scale[-3:])
    assert outcome.result.metrics["max_mm"] > 1


def test_the_selection_stays(model):
    viewer, image, labels = scene()
    viewer.layers.selection.active = labels
    ResultLayers(viewer).show(run(model, image, labels), ALL)
    assert viewer.layers.selection.active is labels


def test_level_0_shows_the_image_itself(model):
    viewer, image, labels = scene()
    results = ResultLayers(viewer)
    results.show(run(model, image, labels, level=0), ALL)
    made = results.layers(image)
    assert np.array_equal(made["image"].data, image.data)
    assert (made["Jacobian"].data == 1).all() and (made["arrows"].data[:, 1] == 0).all()


def test_a_run_fails_in_one_line(tmp_path):
    _, image, _ = scene()
    file = tmp_path / "no.safetensors"
    file.write_text("no model")
    request = RunRequest(take_snapshot(image), file, Options(), image)
    *_, last = Compute().run(request, Viewed())
    assert isinstance(last, Failure)
    assert "not a model" in last.message and "\n" not in last.message


def test_layers_keep_their_order_whenever_they_come(model):
    viewer, image, labels = scene()
    results = ResultLayers(viewer)
    outcome = run(model, image, labels, level=20)
    results.show(outcome, {"arrows"})
    results.tick(image, ALL)
    viewer.layers.remove(results.layers(image)["image"])
    results.tick(image, ALL)
    ours = [layer for layer in viewer.layers if results.owns(layer)]
    assert ours == [results.layers(image)[kind] for kind in KINDS]
    assert list(viewer.layers[:2]) == [image, labels]
