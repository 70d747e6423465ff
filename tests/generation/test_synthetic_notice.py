"""Synthetic, for research only: in every file of what is generated, and in none of what was given.

A file is read by a reader of its own, not by the engine.
"""

from __future__ import annotations

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk
from PIL import Image as Picture

from src_core.cases.case import Case
from src_core.cases.synthetic import SYNTHETIC
from src_core.generation import Result, generate, save_result
from src_core.generation.options import make_options
from src_core.generation.pairs import make_pair, save_pair
from src_core.generation.series import generate_series, save_series
from src_core.inspection.preview import save_preview
from src_core.io import read_case, write_field
from src_core.models.library import load_model
from src_core.recipes.apply import apply_field

INPUTS = {"input.nii.gz", "input-labels.nii.gz"}


def words(path: Path) -> str:
    """What a NIfTI file says of itself."""
    return bytes(nib.load(path).header["descrip"].tobytes()).rstrip(b"\0").decode()


def check(folder: Path) -> None:
    """All volumes but the inputs, and the metrics, carry the notice."""
    volumes = {path for path in folder.rglob("*.nii.gz") if path.name not in INPUTS}
    assert len(volumes) >= 3
    assert [path.name for path in volumes if not words(path).startswith(SYNTHETIC)] == []
    assert not any(words(path) for path in folder.glob("input*.nii.gz"))
    assert json.loads((folder / "metrics.json").read_text())["notice"] == SYNTHETIC


def test_every_file_of_a_new_case(result: Result, tmp_path: Path) -> None:
    out = save_result(result, tmp_path / "out")
    assert {path.name for path in out.iterdir()} >= INPUTS
    check(out)


@pytest.mark.parametrize("ending", ["mha", "nrrd"])
def test_fields_of_itk(ending: str, result: Result, tmp_path: Path) -> None:
    out = save_result(result, tmp_path / "out", field_format=ending)  # type: ignore[arg-type]
    for name in ("displacement", "inverse"):
        stored = sitk.ReadImage(str(out / f"{name}.{ending}"))
        assert stored.GetMetaData("Description").startswith(SYNTHETIC)


def test_series_and_pairs(case: Case, file: Path, tmp_path: Path) -> None:
    model = load_model(file, "cpu")
    series = generate_series(case, model, frames=3, level=20, steps=1)
    check(save_series(series, tmp_path / "series"))
    first, second = (make_options(80, level=20, seed=s, steps=1) for s in (1, 2))
    check(save_pair(make_pair(case, model, first, second), tmp_path / "pair"))


def test_what_a_field_is_applied_to(case: Case, result: Result, tmp_path: Path) -> None:
    (tmp_path / "moved").mkdir()
    apply_field(case, result.displacement, case.grid, tmp_path / "moved")
    check(tmp_path / "moved")


def test_a_field_of_another_tool_is_not_called_synthetic(case: Case, tmp_path: Path) -> None:
    write_field(tmp_path / "warp.nii.gz", np.zeros((*case.grid.shape, 3)), case.grid)
    assert words(tmp_path / "warp.nii.gz") == ""


def test_level_0_is_the_image_itself(case: Case, file: Path) -> None:
    result = generate(case, load_model(file, "cpu"), level=0)
    assert "notice" not in result.metrics
    assert not result.case.images[0].header["descrip"].item()


@pytest.mark.parametrize("ending", ["png", "tif"])
def test_pictures(ending: str, file: Path, tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(0, 255, (60, 50), np.uint8)
    Picture.fromarray(values).save(tmp_path / f"photo.{ending}")
    case = read_case(tmp_path / f"photo.{ending}", spacing=2.0)
    result = generate(case, load_model(file, "cpu"), level=30, steps=1)
    out = save_result(result, tmp_path / "out")
    with Picture.open(out / f"image.{ending}") as written:
        said = written.info["Description"] if ending == "png" else written.tag_v2[270]
    assert said.startswith(SYNTHETIC)
    save_preview(result, tmp_path / "preview.png")
    with Picture.open(tmp_path / "preview.png") as drawn:
        assert drawn.info["Description"].startswith(SYNTHETIC)
