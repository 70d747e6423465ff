"""Files of other programs as layers: fields as the map they hold, labels, or one clear line."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk

pytest.importorskip("napari", reason="napari is not installed")

from napari.utils.notifications import notification_manager

from napari_drdm.field_tools.work import FieldChoice, MoveDone
from napari_drdm.layers.reader import get_reader, read_layers
from src_core.errors import InputError
from src_core.recipes.field_warnings import field_warnings
from tests.support.foreign_fields import GRIDS, PROGRAMS, lps, save_nifti, voxels

GRID = GRIDS["oblique, flipped"]


@pytest.mark.parametrize("program", ["SPM y_", "NiftyReg displacement", "AFNI"])
def test_a_field_of_another_program_is_arrows(program: str, tmp_path: Path) -> None:
    path = PROGRAMS[program](tmp_path, GRID)
    assert get_reader(str(path)) is not None
    before = len(notification_manager.records)
    ((arrows, settings, kind),) = read_layers(path)
    assert kind == "vectors" and len(arrows)
    np.testing.assert_allclose(settings["metadata"]["drdm"]["field"], lps(GRID), atol=1e-4)
    reported = [record.message for record in notification_manager.records[before:]]
    assert any("RAS mm (intent" in text for text in reported) is (program != "AFNI")


def test_a_modeling_field_is_shown_inverted(tmp_path: Path) -> None:
    field = sitk.GetImageFromArray(np.broadcast_to([6.0, -2, 1], (9, 20, 24, 3)), isVector=True)
    field.SetMetaData("displacement field type", "modeling")
    sitk.WriteImage(field, str(tmp_path / "m.nrrd"))
    ((_, settings, kind),) = read_layers(tmp_path / "m.nrrd")
    shown = settings["metadata"]["drdm"]["field"]
    assert kind == "vectors"
    np.testing.assert_allclose(shown[8:-8, 8:-8, 3:-3], np.broadcast_to([-6, 2, -1], (8, 4, 3, 3)))


def test_labels_and_colours_are_what_their_headers_say(tmp_path: Path) -> None:
    values = np.zeros(GRID.shape)
    values[3:7, 2:5, 2:6] = 3
    ((data, _, kind),) = read_layers(save_nifti(tmp_path / "heart.nii", values, GRID, 1002))
    assert kind == "labels" and data.dtype.kind == "i" and np.array_equal(data, values.T)
    colours = sitk.GetImageFromArray(np.zeros((4, 5, 6, 3), np.uint8), isVector=True)
    sitk.WriteImage(colours, str(tmp_path / "rgb.mha"))
    with pytest.raises(InputError, match=r"this is colours or channels .3 integers per voxel."):
        read_layers(tmp_path / "rgb.mha")


def test_an_unknown_kind_is_asked_for_where_it_can_be_said(tmp_path: Path) -> None:
    at = np.moveaxis(np.indices(GRID.shape), 0, -1)
    ras = nib.affines.apply_affine(GRID.affine, at) + lps(GRID) * [-1, -1, 1]
    path = save_nifti(tmp_path / "disp_1_2.nii.gz", voxels(GRID, ras) - at, GRID)
    with pytest.raises(InputError, match="Values of Layers > Transform > Apply displacement field"):
        read_layers(path)
    field = FieldChoice(path=path, kind="voxels").load()
    np.testing.assert_allclose(field.displacement, lps(GRID), atol=1e-4)


def test_the_window_s_warning_names_its_own_control() -> None:
    metrics = {"folding_permille": 80.0, "labels_lost": [4]}
    done = MoveDone(np.zeros(1), (), {"warnings": field_warnings(metrics)})
    assert "folds 8.0 % of the voxels" in done.warning and "see Values" in done.warning
    assert "nothing of label 4" in done.warning
    fine = {"folding_permille": 50.0, "labels_lost": []}
    assert MoveDone(np.zeros(1), (), {"warnings": field_warnings(fine)}).warning == ""
