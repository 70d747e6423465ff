"""The kind of a field in a file, chosen in the form by the keyboard, and the warning of folds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("qtpy.QtWidgets", reason="no Qt binding is installed", exc_type=ImportError)

from napari._app_model import get_app_model
from napari.utils.notifications import notification_manager
from qtpy.QtCore import Qt, QThreadPool
from qtpy.QtTest import QTest

from src_core.cases.grid import Grid
from tests.support.foreign_fields import save_nifti
from tests.support.windows import wait

SHAPE = (26, 22, 6)
GRID = Grid(SHAPE, np.array([[-1.4, 0.2, 0, 30], [0.2, 1.4, 0, -12], [0, 0, 6, 4], [0, 0, 0, 1.0]]))


def choose(box: Any, text: str) -> None:
    """Press the arrow keys in a list until it shows a text."""
    for _ in range(box.count()):
        if box.currentText() == text:
            return
        QTest.keyClick(box, Qt.Key.Key_Down)
    raise AssertionError(f"{text} is not offered, {box.currentText()} is the last")


def test_voxels_are_chosen_and_folds_are_reported(
    make_napari_viewer_proxy: Any, tmp_path: Path
) -> None:
    i, j, _ = np.indices(SHAPE)
    image = (90 + 40 * np.sin(i / 3) + 30 * np.cos(j / 2.5)).astype(np.float32)
    save_nifti(tmp_path / "scan.nii.gz", image, GRID)
    shift = np.broadcast_to([3.0, -2.0, 0.0], (*SHAPE, 3))
    smooth = save_nifti(tmp_path / "disp_1.nii.gz", shift, GRID)
    folded = np.stack([9 * np.sin(i / 1.5), 0 * j, 0 * j], axis=-1)
    wild = save_nifti(tmp_path / "disp_2.nii.gz", folded, GRID)
    viewer = make_napari_viewer_proxy()
    viewer.open(tmp_path / "scan.nii.gz", plugin="napari-drdm")
    get_app_model().commands.execute_command("napari-drdm.apply_field").result()
    form = viewer.window.dock_widgets["Apply displacement field"]
    form.file.value = smooth
    choose(form.kind.native, "VoxelMorph, Learn2Reg")
    for path in (smooth, wild):
        form.file.value = path
        QTest.mouseClick(form.call_button.native, Qt.MouseButton.LeftButton)
        wait(lambda: form.call_button.enabled)
    moved = viewer.layers["scan | moved"].data.T
    np.testing.assert_allclose(moved[:-3, 2:], image[3:, :-2], atol=1e-3)
    told = [record.message for record in notification_manager.records]
    assert "the field folds" in told[-1] and "see Values" in told[-1]
    assert sum("the field folds" in text and "see Values" in text for text in told) == 1
    wait(lambda: QThreadPool.globalInstance().activeThreadCount() == 0)
