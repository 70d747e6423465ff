"""Move points by displacement field, in a window, against SimpleITK."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("qtpy.QtWidgets", reason="no Qt binding is installed", exc_type=ImportError)

import SimpleITK as sitk
from napari.utils.notifications import notification_manager
from qtpy.QtCore import QThreadPool
from scipy.ndimage import gaussian_filter

from napari_drdm.field_tools.commands import open_move_points
from src_core.cases.case import Case
from src_core.io import write_field, write_image
from tests.support.windows import wait

AFFINE = np.array([[-1.4, 0.2, 0, 30], [0.2, 1.4, 0, -12], [0, 0, 6, 4], [0, 0, 0, 1.0]])
SHAPE = (40, 34, 5)
VOXELS = np.array([[2.0, 15, 20], [1.5, 20, 12], [3, 12.25, 25]])  # (Z, Y, X)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    values = gaussian_filter(np.random.default_rng(0).normal(size=SHAPE), (3, 3, 1)) * 4000
    case = Case.from_arrays(values.astype(np.int16), affine=AFFINE)
    write_image(tmp_path / "heart.nii.gz", case.image, case.images[0], case.grid)
    noise = gaussian_filter(np.random.default_rng(2).normal(size=(*SHAPE, 3)), (6, 6, 2, 0))
    u = (noise / np.abs(noise).max() * [4, 4, 0.5]).astype(np.float32)
    write_field(tmp_path / "warp.nii.gz", u, case.grid)
    return tmp_path


@pytest.fixture
def window(make_napari_viewer_proxy: Any, files: Path) -> Any:
    viewer = make_napari_viewer_proxy()
    for name in ("heart", "warp"):
        viewer.open(files / f"{name}.nii.gz", plugin="napari-drdm")
    place = {"scale": viewer.layers["heart"].scale, "units": viewer.layers["heart"].units}
    viewer.add_points(VOXELS, name="marks", features={"n": [1, 2, 3]}, face_color="red", **place)
    viewer.add_shapes([VOXELS], name="line", shape_type="path", **place)
    viewer.add_surface((VOXELS, np.array([[0, 1, 2]])), name="skin", **place)
    viewer.layers.selection = {viewer.layers["marks"], viewer.layers["line"]}
    open_move_points()
    yield viewer, viewer.window.dock_widgets["Move points by displacement field"]
    wait(lambda: QThreadPool.globalInstance().activeThreadCount() == 0)


def press(form: Any) -> None:
    form.call_button.native.click()
    wait(lambda: form.call_button.enabled)


def test_selected_layers_are_moved_as_in_simpleitk(window: Any, files: Path) -> None:
    viewer, form = window
    assert {layer.name for layer in form.layers.value} == {"marks", "line"}
    form.layers.value = [viewer.layers[name] for name in ("marks", "line", "skin")]
    press(form)
    image = sitk.ReadImage(str(files / "heart.nii.gz"))
    field = sitk.ReadImage(str(files / "warp.nii.gz"), sitk.sitkVectorFloat64)
    transform = sitk.DisplacementFieldTransform(field)
    new = viewer.layers["marks | moved"]
    places = [image.TransformContinuousIndexToPhysicalPoint(p[::-1].tolist()) for p in new.data]
    there = [image.TransformPhysicalPointToContinuousIndex(transform.TransformPoint(p))
             for p in places]  # fmt: skip
    assert np.abs(np.array(there)[:, ::-1] - VOXELS).max() < 0.01
    assert np.abs(new.data - VOXELS).max() > 0.3
    assert new.features.equals(viewer.layers["marks"].features)
    assert np.allclose(viewer.layers["line | moved"].data[0], new.data)
    assert np.allclose(viewer.layers["skin | moved"].data[0], new.data)
    assert "Moved 9 points by up to" in notification_manager.records[-1].message
    assert np.array_equal(viewer.layers["marks"].data, VOXELS)


def test_the_inverse_brings_them_back(window: Any) -> None:
    viewer, form = window
    form.layers.value = [viewer.layers["marks"]]
    press(form)
    form.layers.reset_choices()
    form.layers.value = [viewer.layers["marks | moved"]]
    form.inverse.value = True
    press(form)
    assert np.abs(viewer.layers["marks | moved | moved back"].data - VOXELS).max() < 1e-4


def test_points_outside_are_counted_and_nothing_chosen_is_reported(window: Any) -> None:
    viewer, form = window
    viewer.layers["marks"].data = VOXELS + np.array([0, 0, 200])
    form.layers.value = [viewer.layers["marks"]]
    press(form)
    assert "3 lie outside the field" in notification_manager.records[-1].message
    form.layers.value = []
    count = len(viewer.layers)
    form.call_button.native.click()
    assert "choose points, shapes or a surface" in notification_manager.records[-1].message
    assert len(viewer.layers) == count
