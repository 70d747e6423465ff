"""The field commands in a window: found in the menus, driven by their forms, never in the way."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.paths import ROOT

pytest.importorskip("qtpy.QtWidgets", reason="no Qt binding is installed", exc_type=ImportError)

import SimpleITK as sitk
from app_model.types import SubmenuItem
from napari._app_model import get_app_model
from napari.utils.notifications import notification_manager
from npe2 import PluginManifest
from qtpy.QtCore import QEvent, QThreadPool
from qtpy.QtWidgets import QApplication
from scipy.ndimage import gaussian_filter

from napari_drdm.field_tools import work as field_work
from src_core.cases.case import Case
from src_core.cases.grid import Grid
from src_core.io import read_case, read_field, write_field, write_image
from tests.support.windows import wait

AFFINE = np.array([[-1.4, 0.2, 0, 30], [0.2, 1.4, 0, -12], [0, 0, 6, 4], [0, 0, 0, 1.0]])
SHAPE = (40, 34, 5)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    values = gaussian_filter(np.random.default_rng(0).normal(size=SHAPE), (3, 3, 1)) * 4000
    case = Case.from_arrays(values.astype(np.int16), (values > 0).astype(np.uint8), affine=AFFINE)
    write_image(tmp_path / "heart.nii.gz", case.image, case.images[0], case.grid)
    write_image(tmp_path / "heart_seg.nii.gz", case.labels[0].data, case.labels[0], case.grid)
    noise = gaussian_filter(np.random.default_rng(2).normal(size=(*SHAPE, 3)), (6, 6, 2, 0))
    u = (noise / np.abs(noise).max() * [4, 4, 0.5]).astype(np.float32)
    write_field(tmp_path / "warp.nii.gz", u, case.grid)
    write_field(tmp_path / "fsl.nii.gz", u, case.grid, format="fsl")
    return tmp_path


@pytest.fixture
def window(make_napari_viewer_proxy: Any, files: Path) -> Any:
    """A viewer with an image, its labels and a field, and the form of a command."""

    def opened(command: str, *names: str) -> tuple[Any, Any]:
        viewer = make_napari_viewer_proxy()
        for name in names:
            viewer.open(files / f"{name}.nii.gz", plugin="napari-drdm")
        get_app_model().commands.execute_command(f"napari-drdm.{command}").result()
        title = {"apply_field": "Apply displacement field", "jacobian": "Jacobian determinant"}
        return viewer, viewer.window.dock_widgets[title[command]]

    yield opened
    wait(lambda: QThreadPool.globalInstance().activeThreadCount() == 0)


def press(form: Any) -> None:
    """Press the button and wait until it can be pressed again."""
    form.call_button.native.click()
    assert not form.call_button.enabled
    wait(lambda: form.call_button.enabled)


def reported() -> str:
    return notification_manager.records[-1].message


def test_the_menus_hold_the_commands() -> None:
    manifest = PluginManifest.from_file(ROOT / "napari.yaml")
    menus = manifest.contributions.menus
    for menu, own in (("transform", ("apply_field", "move_points")), ("measure", ("jacobian",))):
        ours = [item.command for item in menus[f"napari/layers/{menu}"]]
        assert ours == [f"napari-drdm.{command}" for command in own]


def test_the_application_shows_them(window: Any) -> None:
    window("jacobian")
    menus = get_app_model().menus
    for menu, title in (("transform", "Apply displacement"), ("measure", "Jacobian determinant")):
        items = [i for i in menus.get_menu(f"napari/layers/{menu}") if not _is_submenu(i)]
        assert any(item.command.title.startswith(title) for item in items)


def _is_submenu(item: Any) -> bool:
    return isinstance(item, SubmenuItem)


def test_a_field_layer_moves_an_image_and_its_labels(window: Any, files: Path) -> None:
    viewer, form = window("apply_field", "heart", "heart_seg", "warp")
    image, labels, field = viewer.layers
    before = [layer.data.copy() for layer in (image, labels, field)]
    assert (form.image.value.name, form.field.value.name) == ("heart", "warp")
    assert [c.name for c in form.label_layers.value] == ["heart_seg"]
    assert form.file.native.isHidden() and form.kind.native.isHidden()
    assert all(w.tooltip for w in form if w is not form.call_button)
    press(form)
    moved, moved_labels = viewer.layers[3:]
    assert (moved.name, moved_labels.name) == ("heart | moved", "heart_seg | moved")
    theirs = sitk.Resample(
        sitk.ReadImage(str(files / "heart.nii.gz")),
        sitk.DisplacementFieldTransform(
            sitk.ReadImage(str(files / "warp.nii.gz"), sitk.sitkVectorFloat64)
        ),
    )
    inner = (slice(1, -1), slice(6, -6), slice(6, -6))
    assert np.abs(moved.data - sitk.GetArrayFromImage(theirs)).astype(float)[inner].max() <= 1
    assert np.allclose(moved.scale, image.scale) and moved.units == image.units
    assert tuple(moved.contrast_limits) == tuple(image.contrast_limits)
    assert moved_labels.data.dtype == labels.data.dtype
    assert np.unique(moved_labels.data).tolist() == [0, 1]
    for layer, data in zip((image, labels, field), before, strict=True):
        assert np.array_equal(layer.data, data)
    assert reported().startswith("Moved by up to ")
    saved = files / "saved.nii.gz"
    moved.save(str(saved), plugin="napari-drdm")
    assert read_case(saved).grid == read_case(files / "heart.nii.gz").grid


def test_the_inverse_takes_the_moved_image_back(window: Any) -> None:
    viewer, form = window("apply_field", "heart", "warp")
    press(form)
    form.image.value = viewer.layers["heart | moved"]
    form.inverse.value = True
    press(form)
    back = viewer.layers["heart | moved | moved back"].data.astype(float)
    heart, moved = (viewer.layers[n].data.astype(float) for n in ("heart", "heart | moved"))
    inner = (slice(1, -1), slice(6, -6), slice(6, -6))
    assert np.abs(back - heart)[inner].mean() < 0.3 * np.abs(moved - heart)[inner].mean()


def test_a_field_in_a_file_has_a_format(window: Any, files: Path) -> None:
    viewer, form = window("jacobian")
    assert form.field.value is None
    assert not form.file.native.isHidden() and not form.kind.native.isHidden()
    form.file.value = files / "fsl.nii.gz"
    form.magnitude.value = True
    press(form)
    determinant, length = viewer.layers
    u, grid = read_field(files / "warp.nii.gz")
    np.testing.assert_allclose(length.data.T, np.linalg.norm(u, axis=-1), atol=1e-4)
    assert determinant.name == "fsl.nii.gz | Jacobian" and length.name == "fsl.nii.gz | mm"
    assert tuple(determinant.contrast_limits) == (0, 4)
    assert np.allclose(determinant.scale, grid.spacing[::-1])
    assert "no voxel folds" in reported()
    form.kind.value, form.magnitude.value = "lps", False
    press(form)
    assert np.abs(viewer.layers[-1].data - determinant.data).max() > 0.01


def test_maps_of_a_field_lie_over_its_image(window: Any) -> None:
    viewer, form = window("jacobian", "heart", "warp")
    viewer.layers["heart"].translate = (5, -7, 3)
    press(form)
    made = viewer.layers["warp | Jacobian"]
    at = (2, 11, 13)
    assert np.allclose(made.data_to_world(at), viewer.layers["heart"].data_to_world(at))


def test_what_is_wrong_is_reported_in_one_line(window: Any, files: Path) -> None:
    viewer, form = window("apply_field", "heart")
    press(form)
    assert reported() == "no field given, choose a field layer or a file"
    form.file.value = files / "heart.nii.gz"
    press(form)
    assert "this is an image" in reported() and "\n" not in reported()
    far = Grid(SHAPE, AFFINE + np.array([[0, 0, 0, 900.0], *np.zeros((3, 4))]))
    write_field(files / "far.nii.gz", np.zeros((*SHAPE, 3)), far)
    form.file.value = files / "far.nii.gz"
    press(form)
    assert reported().startswith("the field does not overlap the image, heart")
    assert [layer.name for layer in viewer.layers] == ["heart"]


def test_no_image_is_reported_at_once(window: Any) -> None:
    _, form = window("apply_field")
    form.call_button.native.click()
    assert reported() == "open an image first" and form.call_button.enabled


def test_the_window_does_not_wait(window: Any, monkeypatch: Any) -> None:
    """While the work takes a second, events are handled; the command opens only one dock."""
    viewer, form = window("jacobian", "heart", "warp")
    compute = field_work.jacobian_of

    def slow(choice: Any) -> Any:
        time.sleep(1)
        return compute(choice)

    monkeypatch.setattr("napari_drdm.field_tools.commands.jacobian_of", slow)
    started = time.monotonic()
    form.call_button.native.click()
    assert time.monotonic() - started < 0.5 and form.call_button.text == "Working…"
    get_app_model().commands.execute_command("napari-drdm.jacobian").result()
    assert viewer.window.dock_widgets["Jacobian determinant"] is form
    wait(lambda: form.call_button.enabled)
    assert form.call_button.text == "Compute"


def test_layers_that_come_later_are_offered(window: Any, files: Path) -> None:
    viewer, form = window("apply_field")
    for name in ("heart", "heart_seg", "warp"):
        viewer.open(files / f"{name}.nii.gz", plugin="napari-drdm")
    assert form.image.value.name == "heart"
    assert [layer.name for layer in form.field.choices if layer] == ["warp"]
    assert [layer.name for layer in form.label_layers.choices] == ["heart_seg"]


def test_a_form_that_is_closed_while_it_works_leaves_no_error(
    window: Any, monkeypatch: Any
) -> None:
    viewer, form = window("jacobian", "heart", "warp")
    compute, begun = field_work.jacobian_of, len(notification_manager.records)

    def slow(choice: Any) -> Any:
        time.sleep(0.5)
        return compute(choice)

    monkeypatch.setattr("napari_drdm.field_tools.commands.jacobian_of", slow)
    form.call_button.native.click()
    column = form.native.parent().parent()
    viewer.window.remove_dock_widget(column)
    column.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    wait(lambda: QThreadPool.globalInstance().activeThreadCount() == 0)
    QApplication.processEvents()
    assert len(notification_manager.records) == begun
    assert [layer.name for layer in viewer.layers] == ["heart", "warp"]
