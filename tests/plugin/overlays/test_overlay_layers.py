"""Overlays as layers: what is shown, hidden, drawn again and released."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from napari_drdm.explorer.result_layers import ResultLayers
from napari_drdm.layers.snapshots import case_from_layers
from napari_drdm.overlays import DrawingStyle, LayerField
from napari_drdm.overlays.kinds import KINDS
from tests.support.overlays import ALL, SCALE, SHAPE, blocks, opened, picture, wave

# A step of a view slider on an oblique layer: napari says that it cuts along the layer's axes.
pytestmark = pytest.mark.filterwarnings("ignore:Non-orthogonal slicing")


def test_a_view_across_time_shows_no_overlay(moment_of):
    viewer, image, labels = opened((3, *SHAPE), (1, *SCALE))
    moment, results = moment_of(image, wave, labels), ResultLayers(viewer)
    results.show(moment, ALL)
    made = results.layers(image)
    assert all(layer.visible for layer in made.values()) and set(made) == ALL
    viewer.dims.order = (1, 2, 0, 3)
    results.follow()
    overlays = [made[kind] for kind in list(KINDS)[2:]]
    assert not any(layer.visible for layer in overlays)
    assert made["image"].visible and made["labels"].visible
    viewer.dims.order = (0, 1, 2, 3)
    viewer.dims.set_point(1, 4.0 * 6)
    results.follow()
    assert all(layer.visible for layer in overlays)
    assert (made["arrows"].data[:, 0, 0] == 6).all()


def test_contours_are_of_the_source_and_of_the_frame_on_view(moment_of):
    viewer, image, labels = opened((3, *SHAPE), (1, *SCALE))
    labels.data[2] = 0
    labels.data[2, 4, 3:6, 5:9] = 3
    moment, results = moment_of(image, wave, labels), ResultLayers(viewer)
    viewer.dims.set_point(range(2), (0, 4.0 * 4))
    results.show(moment, {"contours"})
    drawn = results.layers(image)["contours"]
    assert drawn.data[:, 0, 1].max() == 19.5 and (drawn.data[:, 0, 0] == 4).all()
    viewer.dims.set_point(0, 2)
    results.follow()
    assert drawn.data[:, 0, 1].max() == 5.5 and drawn.data[:, 0, 2].max() == 8.5
    assert np.allclose(drawn.edge_color, labels.colormap.map(3), atol=1e-6)
    viewer.dims.set_point(1, 0)
    results.follow()
    assert len(drawn.data) == 0
    viewer.dims.set_point(1, 16)
    results.follow()
    assert drawn.data[:, 0, 1].max() == 5.5
    assert np.allclose(drawn.edge_color, labels.colormap.map(3), atol=1e-6)


def test_a_quick_preview_hides_what_it_has_no_field_for(moment_of):
    viewer, image, labels = opened()
    results = ResultLayers(viewer)
    results.show(moment_of(image, wave, labels), ALL, DrawingStyle(arrows=200))
    made = results.layers(image)
    data = {kind: layer.data for kind, layer in made.items()}
    quick = moment_of(image, lambda at: wave(at, 1.0), labels, displacement=None, jacobian=None)
    results.show(quick, ALL)
    visible = {kind for kind, layer in made.items() if layer.visible}
    assert visible == {"image", "labels", "contours"}
    assert all(made[kind].data is data[kind] for kind in ("arrows", "grid", "magnitude"))
    viewer.dims.set_point(0, 8.0)
    results.follow()
    assert not made["arrows"].visible
    results.show(moment_of(image, wave, labels), ALL)
    assert all(layer.visible for layer in made.values()) and len(made["arrows"].data) <= 200
    assert results.outcome(image) is None


def test_what_is_not_ticked_is_never_computed(moment_of, monkeypatch):
    viewer, image, labels = opened()
    results = ResultLayers(viewer)
    monkeypatch.setattr(LayerField, "at", lambda *_: pytest.fail("a field was read"))
    results.show(moment_of(image, wave, labels), {"image", "labels", "contours"})
    viewer.dims.set_point(0, 8.0)
    results.follow()


def test_an_overlay_hidden_by_its_eye_is_drawn_when_it_comes_back(moment_of):
    viewer, image, _ = opened()
    results = ResultLayers(viewer)
    results.show(moment_of(image, wave), {"arrows"})
    drawn = results.layers(image)["arrows"]
    drawn.visible = False
    viewer.dims.set_point(0, 8.0)
    results.follow()
    assert not drawn.visible and not (drawn.data[:, 0, 0] == 2).all()
    drawn.visible = True
    assert (drawn.data[:, 0, 0] == 2).all()


def test_what_left_the_viewer_is_let_go(moment_of):
    viewer, image, _ = opened()
    other = viewer.add_image(picture(), name="other", scale=SCALE)
    results = ResultLayers(viewer)
    results.show(moment_of(image, wave), {"image"})
    made = results.layers(image)["image"]
    viewer.layers.remove(image)
    results.show(moment_of(other, wave), {"image"})
    assert results.owns(made) and results.moment(image) is not None
    viewer.layers.remove(made)
    results.show(moment_of(other, wave), {"image"})
    assert results.moment(image) is None and results.moment(other) is not None


def test_several_images_and_labels_have_layers_of_their_own(moment_of):
    viewer, image, labels = opened()
    second = viewer.add_image(picture() * 2, name="T2", colormap="green", scale=SCALE)
    more = viewer.add_labels(blocks() * 5, name="tumour", scale=SCALE)
    moment = moment_of(image, wave, labels)
    moment = replace(
        moment,
        request=replace(moment.request, extras=(second, more)),
        images=(moment.images[0], 2 * moment.images[0]),
        labels=(moment.labels[0], 5 * moment.labels[0]),
    )
    results = ResultLayers(viewer)
    results.show(moment, {"image", "labels"})
    made = results.layers(image)
    assert list(made) == ["image", "image 2", "labels", "labels 2"]
    assert [layer.name for layer in viewer.layers[4:]] == [
        "head | drdm image", "T2 | drdm image", "head | drdm labels", "tumour | drdm labels",
    ]  # fmt: skip
    assert made["image 2"].colormap.name == "green"
    assert np.array_equal(made["labels 2"].data, 5 * moment.labels[0])
    results.show(replace(moment, images=moment.images[:1]), {"image", "labels"})
    assert made["image"].visible and not made["image 2"].visible


def test_empty_overlays_are_no_error(moment_of):
    viewer, image, labels = opened((1, 40, 34))
    labels.data[...] = 0
    far = moment_of(image, lambda at: np.broadcast_to([90.0, 0, 0], at.shape), labels)
    results = ResultLayers(viewer)
    results.show(far, ALL)
    made = results.layers(image)
    assert len(made["arrows"].data) == len(made["contours"].data) == 0
    results.show(moment_of(image, lambda at: 0 * at, labels), ALL)
    assert len(made["arrows"].data) > 100
    limits = tuple(made["arrows"].edge_contrast_limits)
    assert limits == pytest.approx((0, 0.1 * 34 * 1.5))
    assert case_from_layers(image).case.grid.shape == (34, 40, 1)
