"""Overlays and readouts by closed form and against SimpleITK; a viewer model, no window."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk
import torch
from napari.components import ViewerModel
from napari.layers import Image, Labels
from scipy.ndimage import map_coordinates

from napari_drdm.explorer.readout import ReadoutController
from napari_drdm.explorer.result_layers import ResultLayers
from napari_drdm.layers.reader import read_layers
from napari_drdm.layers.snapshots import case_from_layers
from napari_drdm.overlays import (
    DrawingStyle,
    LayerField,
    View,
    arrows,
    contours,
    grid_lines,
    view_of,
)
from napari_drdm.overlays.colours import limit_mm, magnitude_colormap
from napari_drdm.overlays.kinds import KINDS
from napari_drdm.overlays.reading import place_under, value_at
from napari_drdm.overlays.view import Plane
from src_core.cases.case import Case
from src_core.fields import invert
from src_core.io import write_image
from src_core.io.fields import write_field

SHAPE = (26, 40, 34)  # Z, Y, X
SCALE = (4.0, 1.2, 1.5)
TURN = np.array([[0.8, -0.36, 0.48], [0.6, 0.48, -0.64], [0.0, 0.8, 0.6]])
OBLIQUE = np.eye(4)
OBLIQUE[:3] = np.column_stack([TURN * SCALE[::-1], [31.0, -12.0, 7.5]])
ALL = set(KINDS)
# A step of a view slider on an oblique layer: napari says that it cuts along the layer's axes.
pytestmark = pytest.mark.filterwarnings("ignore:Non-orthogonal slicing")


def wave(at: np.ndarray, most: float = 2.5) -> np.ndarray:
    """A smooth field, voxels, along X, Y, Z of voxels (..., 3)."""
    x, y, z = np.moveaxis(at, -1, 0)
    return most * np.stack(
        [np.sin(y / 7 + z / 9), 0.8 * np.cos(x / 6 - z / 8), 0.6 * np.sin(x / 9 + y / 8)], -1
    )


def picture(shape=SHAPE) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 900, shape).astype(np.int16)


def blocks(shape=SHAPE) -> np.ndarray:
    labels = np.zeros(shape, np.uint8)
    labels[..., 8:20, 6:22] = 3
    labels[..., 12:16, 10:18] = 9
    return labels


def opened(shape=SHAPE, scale=SCALE, **placed) -> tuple[ViewerModel, Image, Labels]:
    viewer = ViewerModel()
    placed = {"scale": scale[-len(shape) :], **placed}
    image = viewer.add_image(picture(shape), name="head", **placed)
    return viewer, image, viewer.add_labels(blocks(shape), name="head labels", **placed)


def field_of(moment) -> LayerField:
    return LayerField(moment.layer_case, moment.displacement)


def views(shape=SHAPE) -> list[View]:
    cuts = [View(tuple({0, 1, 2} - {a}), ((a, shape[a] // 3),)) for a in range(3)]
    return [*cuts, View((2, 0), ((1, 7),)), View((0, 1, 2), (), (5, 20, 11))]


@pytest.mark.parametrize("view", views(), ids=str)
@pytest.mark.parametrize("goes", [False, True])
def test_arrows_join_tissue_and_where_it_came_from(moment_of, view, goes):
    moment = moment_of(opened()[1], wave)
    drawn = arrows(field_of(moment), view, DrawingStyle(arrows=300, goes=goes))
    starts, ends = drawn.segments[:, 0], drawn.segments.sum(axis=1)
    new, source = (ends, starts) if goes else (starts, ends)
    moved = wave(new[:, ::-1])[:, ::-1]
    shown = list(view.shown)
    assert np.allclose(source[:, shown], (new + moved)[:, shown], atol=1e-5)
    for axis, index in view.fixed:
        assert (starts[:, axis] == index).all() and (ends[:, axis] == index).all()
    assert np.allclose(drawn.mm, np.linalg.norm(moved * SCALE, axis=1), atol=1e-4)
    limits = np.asarray(SHAPE) - 0.5
    assert 100 < len(starts) <= 300
    assert all(((p >= -0.5) & (p <= limits)).all() for p in (starts, ends))


def test_arrows_that_go_are_those_of_the_inverse(moment_of):
    moment = moment_of(opened()[1], wave)
    volume = View((0, 1, 2), (), (5, 20, 11))
    drawn = arrows(field_of(moment), volume, DrawingStyle(arrows=200, goes=True)).segments
    u = moment.layer_case.case.grid.to_voxels(moment.displacement)
    backward = invert(torch.from_numpy(np.moveaxis(u, -1, 0)[None].copy())).displacement[0]
    limits = np.asarray(SHAPE) - 6  # at its rim the inverse has a kink, which splines round off
    drawn = drawn[((drawn >= 5) & (drawn <= limits))[:, 0].all(axis=1)]
    at = drawn[:, 0, ::-1].T
    there = np.stack([map_coordinates(w, at, order=3, mode="nearest") for w in backward.numpy()])
    assert len(drawn) > 40 and np.abs(there.T[:, ::-1] - drawn[:, 1]).max() < 0.05


@pytest.mark.parametrize("scale", [1.0, 5.0])
def test_longer_arrows_start_at_the_same_places(moment_of, scale):
    moment, view = moment_of(opened()[1], lambda at: wave(at, 0.5)), views()[0]
    true = arrows(field_of(moment), view, DrawingStyle(arrows=200)).segments
    longer = arrows(field_of(moment), view, DrawingStyle(arrows=200, scale=scale)).segments
    known = {tuple(start): vector for start, vector in true}
    assert 100 < len(longer) <= len(true)
    for start, vector in longer:
        assert np.allclose(vector, scale * known[tuple(start)])


@pytest.mark.parametrize("view", views(), ids=str)
def test_the_grid_was_straight_in_the_source(moment_of, view):
    moment = moment_of(opened()[1], wave)
    drawn = grid_lines(field_of(moment), view, DrawingStyle(lines=10)).segments
    assert 200 < len(drawn) < 9000
    u = np.moveaxis(moment.layer_case.case.grid.to_voxels(moment.displacement), -1, 0)
    points = np.concatenate([drawn[:, 0], drawn.sum(axis=1)])
    assert (points >= 0).all() and (points <= np.asarray(SHAPE) - 1).all()
    moved = np.stack([map_coordinates(c, points[:, ::-1].T, order=1) for c in u], -1)
    came_from = points + moved[:, ::-1]
    step = max(SHAPE[a] * SCALE[a] for a in view.shown) / 10
    away = []
    for axis in view.shown:
        count = max(1, round(SHAPE[axis] * SCALE[axis] / step))
        levels = (np.arange(count) + 0.5) * SHAPE[axis] / count - 0.5
        away.append(np.abs(came_from[:, axis, None] - levels).min(axis=1))
    assert np.min(away, axis=0).max() < 0.12  # it may be sampled more coarsely than the voxels


def test_the_grid_of_a_still_field_is_square_in_mm(moment_of):
    moment = moment_of(opened()[1], np.zeros_like)
    drawn = grid_lines(field_of(moment), views()[1], DrawingStyle(lines=26)).segments  # Z and X
    upright = drawn[np.abs(drawn[:, 1, 0]) > 0]
    assert (drawn[:, 0, 1] == SHAPE[1] // 3).all() and (drawn[:, 1, 1] == 0).all()
    columns, rows = np.unique(upright[:, 0, 2]), np.unique(drawn[drawn[:, 1, 2] != 0][:, 0, 0])
    assert np.allclose(np.diff(rows) * SCALE[0], 4.0)
    assert np.allclose(np.diff(columns) * SCALE[2], 4.0, atol=0.2)


def test_contours_close_and_run_between_labels():
    labels = np.zeros((3, 9, 12), np.int32)
    labels[1, 2:5, 3:7] = 70_000
    labels[1, 6:, :2] = 2  # touches two borders
    view = View((1, 2), ((0, 1),))
    drawn = contours([(labels, lambda v: np.repeat(v[:, None] / 1e5, 4, 1))], (5, 1, 2), view)
    assert (drawn.segments[:, 0, 0] == 1).all() and (drawn.segments[:, 1, 0] == 0).all()
    for value, low, high in ((70_000, (1.5, 2.5), (4.5, 6.5)), (2, (5.5, -0.5), (8.5, 1.5))):
        own = drawn.segments[np.isclose(drawn.colours[:, 0], value / 1e5)][:, :, 1:]
        assert np.allclose(own[:, 0].min(0), low) and np.allclose(own[:, 0].max(0), high)
        assert np.allclose(own[:, 1].sum(0), 0)
        starts, ends = own[:, 0], own.sum(1)
        assert sorted(map(tuple, starts.round(6))) == sorted(map(tuple, ends.round(6)))


def test_contours_of_a_volume_lie_on_three_planes():
    view = View((0, 1, 2), (), (5, 13, 12))
    assert [dict(plane.fixed) for plane in view.planes] == [{2: 12}, {1: 13}, {0: 5}]
    drawn = contours([(blocks(), lambda v: np.ones((len(v), 4)))], SCALE, view).segments
    for axis, index in enumerate((5, 13, 12)):
        still = (drawn[:, 0, axis] == index) & (drawn[:, 1, axis] == 0)
        assert still.sum() > 20
    assert not np.isnan(drawn).any()


def test_lengths_are_clear_at_nothing_and_end_at_a_tenth_of_the_side(moment_of):
    moment = moment_of(opened()[1], wave)
    assert limit_mm(moment.layer_case.case.grid) == pytest.approx(0.1 * 34 * 1.5)
    nothing, half, most = magnitude_colormap().map(np.array([0, 0.5, 1.0]))
    assert nothing[3] == 0 and half[3] == pytest.approx(1, abs=0.02) and most[3] == 1


@pytest.mark.parametrize("order", [*itertools.permutations(range(3))])
@pytest.mark.parametrize("oblique", [False, True])
def test_the_view_is_the_slice_that_napari_draws(order, oblique):
    around = {"affine": OBLIQUE[[2, 1, 0, 3]][:, [2, 1, 0, 3]], "scale": (1, 1, 1)}
    viewer, image, _ = opened(**around) if oblique else opened()
    viewer.dims.order = order
    viewer.dims.set_current_step(order[0], viewer.dims.nsteps[order[0]] // 2)
    view = view_of(image, viewer.dims, 3)
    (axis, index), *rest = view.fixed
    assert axis == order[0] and not rest and view.shown == order[1:] and view.spatial
    drawn = np.asarray(image._slice.image.raw)
    expected = np.take(image.data, index, axis=axis)
    assert np.array_equal(drawn, expected if order[1] < order[2] else expected.T)
    assert view.planes == (Plane(order[1], order[2], ((axis, index),)),)


def test_units_of_the_viewer_count():
    viewer = ViewerModel()
    image = viewer.add_image(picture(), scale=(4000, 1200, 1500), units="um")
    viewer.layers.units = ("mm", "mm", "mm")
    viewer.dims.set_point(0, 4.0 * 9)
    assert view_of(image, viewer.dims, 3).fixed == ((0, 9),)
    assert np.array_equal(np.asarray(image._slice.image.raw), image.data[9])


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


@pytest.fixture
def filed(tmp_path, moment_of):
    """A viewer with an oblique anisotropic volume of a file, its moment, and its field on disk."""
    case = Case.from_arrays(picture().T, affine=OBLIQUE)
    write_image(tmp_path / "head.nii.gz", case.image, case.images[0])
    data, about, _ = read_layers(tmp_path / "head.nii.gz")[0]
    viewer = ViewerModel()
    image = viewer.add_image(data, **about)
    labels = viewer.add_labels(
        blocks(), scale=image.scale, metadata={"drdm": {"label_names": {3: "LV"}}}
    )
    moment = moment_of(image, wave, labels)
    write_field(tmp_path / "displacement.nii.gz", moment.displacement, moment.layer_case.case.grid)
    return viewer, moment, sitk.ReadImage(str(tmp_path / "displacement.nii.gz"))


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0), (0, 2, 1)])
def test_values_under_the_cursor_are_those_of_the_saved_field(filed, order):
    viewer, moment, saved = filed
    image, hidden = moment.request.source, order[0]
    viewer.dims.order = order
    rng = np.random.default_rng(1)
    worst = 0.0
    for _ in range(60):
        voxel = rng.uniform(0, np.array(SHAPE) - 1)
        voxel[hidden] = round(voxel[hidden])
        viewer.dims.set_point(hidden, image.data_to_world(voxel)[hidden])
        viewer.cursor.position = image.data_to_world(voxel)
        place = place_under(moment, viewer)
        assert np.allclose(place, voxel)
        reading = value_at(moment, place)
        physical = saved.TransformContinuousIndexToPhysicalPoint(voxel[::-1].tolist())
        expected = np.array(saved.EvaluateAtPhysicalPoint(physical, sitk.sitkLinear))
        worst = max(worst, np.abs(expected - reading.u_mm).max())
        assert np.allclose(reading.source_lps, physical + expected, atol=0.01)
        assert reading.length_mm == pytest.approx(np.linalg.norm(expected), abs=0.01)
        index = saved.TransformPhysicalPointToContinuousIndex(physical + expected)
        assert np.allclose(reading.source_voxel, index[::-1], atol=0.01)
        x, y, z = np.round(voxel[::-1]).astype(int)
        assert reading.det == pytest.approx(moment.jacobian[x, y, z])
        label = moment.labels[0][z, y, x]
        assert reading.labels == (({3: "LV", 9: "label 9"}[label],) if label else ())
    assert worst < 0.01


def test_there_is_nothing_to_read_outside_or_without_a_field(filed, moment_of):
    _, moment, _ = filed
    assert value_at(moment, (-0.4, -0.4, 33.4)) is not None
    assert value_at(moment, (-0.6, 5, 5)) is None and value_at(moment, (3, 5, 33.6)) is None
    quick = moment_of(moment.request.source, wave, displacement=None)
    assert value_at(quick, (3, 5, 5)) is None


def test_a_single_slice_is_read_along_its_axes(moment_of):
    viewer, image, _ = opened(SHAPE[1:])

    def shift(at):
        return np.broadcast_to([2.0, -1.0, 0.0], at.shape)

    reading = value_at(moment_of(image, shift), (10.25, 20.5))
    assert np.allclose(reading.along_mm, (-1.2, 3.0), atol=1e-5) and reading.det == 1
    assert np.allclose(reading.source_voxel, (9.25, 22.5), atol=1e-5)
    assert viewer.dims.ndim == 2


def test_the_line_of_sight_meets_the_first_label_then_the_brightest_voxel(moment_of):
    viewer, image, labels = opened()
    image.data[...] = 0
    image.data[17, 30, 3] = 900
    still = np.zeros_like
    viewer.dims.ndisplay = 3
    viewer.scene.camera.set_view_direction((1, 0, 0))
    moment = moment_of(image, still, labels)
    direction = np.array([1, 0, 0])
    viewer.cursor.position = np.array(image.data_to_world((0, 30, 3))) - 500 * direction
    assert np.round(place_under(moment, viewer)).tolist() == [17, 30, 3]
    viewer.cursor.position = np.array(image.data_to_world((0, 10, 8))) - 500 * direction
    assert np.round(place_under(moment, viewer)).tolist() == [0, 10, 8]
    assert value_at(moment, place_under(moment, viewer)).labels == ("label 3",)


def test_a_canvas_with_an_axis_that_the_source_lacks_is_not_read(moment_of):
    viewer, image, labels = opened()
    moment = moment_of(image, np.zeros_like, labels)
    viewer.add_image(np.zeros((2, *image.data.shape)), name="cine")
    for ndisplay, order, known in (
        (2, (0, 1, 2, 3), True),
        (2, (1, 2, 0, 3), False),
        (3, (0, 1, 2, 3), True),
        (3, (1, 0, 2, 3), False),
    ):
        viewer.dims.ndisplay, viewer.dims.order = ndisplay, order
        viewer.scene.camera.set_view_direction((1, 0, 0))
        viewer.cursor.position = (0, *image.data_to_world((1, 2, 3)))
        assert (place_under(moment, viewer) is not None) is known


def test_the_cursor_is_listened_to_until_it_is_closed(filed):
    viewer, moment, _ = filed
    told = []
    shown = [moment]
    controller = ReadoutController(viewer, lambda: shown[0], lambda *args: told.append(args))
    viewer.cursor.position = moment.request.source.data_to_world((0, 5, 5))
    controller.read()
    assert told[-1][1] == (1, 2) and told[-1][0].length_mm > 0
    shown[0] = None
    controller.read()
    assert told[-1] == (None, ())
    controller.close()
    assert not any(e.callbacks and controller.refresh in e.callbacks for e in controller._events)


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
