"""Values under the cursor, against SimpleITK and the saved field."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk

from napari_drdm.explorer.readout import ReadoutController
from napari_drdm.overlays.reading import place_under, value_at
from tests.support.overlays import SHAPE, opened, wave

# A step of a view slider on an oblique layer: napari says that it cuts along the layer's axes.
pytestmark = pytest.mark.filterwarnings("ignore:Non-orthogonal slicing")


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
    readings = []
    shown = [moment]
    controller = ReadoutController(viewer, lambda: shown[0], lambda *args: readings.append(args))
    viewer.cursor.position = moment.request.source.data_to_world((0, 5, 5))
    controller.read()
    assert readings[-1][1] == (1, 2) and readings[-1][0].length_mm > 0
    shown[0] = None
    controller.read()
    assert readings[-1] == (None, ())
    controller.close()
    assert not any(e.callbacks and controller.refresh in e.callbacks for e in controller._events)
