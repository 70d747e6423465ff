"""Deformations along time: the identity first, velocities that grow, loops that close."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
import torch

from src_core.cases.case import Case
from src_core.cli import run as drdm
from src_core.errors import ArgumentError, InputError
from src_core.fields.warp_case import warp_case
from src_core.generation import generate, generate_series, save_series, series
from src_core.generation.series import growth
from src_core.io import holds_field, read_case, write_field_series
from src_core.models.model import Model
from src_core.models.prediction import build
from tests.support import tiny


def cine(frames: int = 5, labels_move: bool = False) -> Case:
    """A disc that beats, oblique and anisotropic."""
    x, y, _, t = np.indices((44, 38, 3, frames))
    radius = 9 + 2 * np.cos(2 * np.pi * t / frames)
    inside = np.hypot(x - 21, y - 18) < radius
    labels = inside if labels_move else inside[..., 0]
    values = (100 * inside + 3 * x + y + 2 * t).astype(np.int16)
    return Case.from_arrays(values, labels.astype(np.uint8), affine=tiny.OBLIQUE, name="cine")


def silent(ndim: int = 2) -> Model:
    """A model that recovers nothing: the random field of a level is its result."""
    made = tiny.model(ndim)
    network = build(made.spec.network)
    with torch.no_grad():
        for weights in network.parameters():
            weights.zero_()
    return replace(made, network=network.eval())


def frame(case: Case, t: int) -> Case:
    images = tuple(v.with_data(v.data[..., t] if v.frames > 1 else v.data) for v in case.images)
    labels = tuple(v.with_data(v.data[..., t] if v.frames > 1 else v.data) for v in case.labels)
    return Case(images, labels, case.grid)


def test_a_ramp_rises_evenly_and_a_loop_closes() -> None:
    assert growth(5, "ramp") == (0, 0.25, 0.5, 0.75, 1)
    assert growth(8, "loop")[4] == 1
    for frames in (2, 5, 8, 30):
        around = growth(frames, "loop")
        assert around[0] == 0
        assert np.allclose(around[1:], around[:0:-1])
        steps = np.abs(np.diff([*around, around[0]]))
        assert steps.max() <= math.pi / frames


@pytest.mark.parametrize("motion", ["ramp", "loop"])
def test_the_first_frame_is_the_input_itself(motion: Any) -> None:
    case = cine()
    made = generate_series(case, tiny.model(), motion, level=50, seed=2)
    assert np.array_equal(made.case.image[..., 0], case.image[..., 0])
    assert not made.displacements[..., 0, :].any()
    assert made.case.image.shape == case.image.shape and made.case.image.dtype == np.int16
    assert made.metrics["frame_max_mm"][0] == 0 and min(made.metrics["frame_max_mm"][1:]) > 0


def test_a_loop_comes_back_the_way_it_went() -> None:
    made = generate_series(cine(6), tiny.model(), "loop", level=50, seed=2)
    for t in (1, 2):
        there, back = made.displacements[..., t, :], made.displacements[..., 6 - t, :]
        assert np.abs(there - back).max() < 1e-4
    assert int(np.argmax(made.metrics["frame_max_mm"])) == 3


@pytest.mark.parametrize("ndim", [2, 3])
def test_growth_is_in_velocity(ndim: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without recovery the map is exp(tau v): a share of it is a lower level's, in closed form."""
    shape = (44, 38, 3) if ndim == 2 else (26, 22, 12)
    case, model = tiny.case(shape) if ndim == 2 else whole(shape), silent(ndim)
    tau = model.spec.schedule.tau
    shares = (0.0, tau(20) / tau(60), tau(40) / tau(60), 1.0)
    monkeypatch.setattr(series, "growth", lambda frames, motion: shares)
    made = generate_series(case, model, "ramp", 4, level=60, seed=5)
    for t, level in ((1, 20), (2, 40), (3, 60)):
        alone = generate(case, model, level=level, seed=5)
        assert alone.metrics["guard_scale"] == 1
        apart = case.grid.to_voxels(made.displacements[..., t, :] - alone.displacement)
        assert np.abs(apart).max() < 1e-4
    half = made.displacements[..., 3, :] * np.float32(shares[2])
    assert np.abs(case.grid.to_voxels(half - made.displacements[..., 2, :])).max() > 1e-2


def whole(shape: tuple[int, int, int]) -> Case:
    values = 100 + 50 * np.sin(np.indices(shape).sum(0) / 5)
    return Case.from_arrays(values, affine=np.diag([1.4, 1.1, 2.0, 1]))


@pytest.mark.parametrize("slices", ["shared", "each"])
def test_every_frame_is_certified_and_warped_by_its_own_field(slices: str) -> None:
    case = cine(4, labels_move=slices == "each")
    made = generate_series(case, tiny.model(), "ramp", level=70, seed=3, slices=slices)
    assert made.metrics["certified"] and made.metrics["min_det"] >= 0.01
    for t in range(1, 4):
        moved = warp_case(frame(case, t), made.displacements[..., t, :])
        assert np.array_equal(made.case.image[..., t], moved.image)
        assert moved.label_map is not None and made.case.label_map is not None
        assert np.array_equal(made.case.label_map[..., t], moved.label_map)


def test_what_folds_at_the_peak_is_guarded() -> None:
    model = silent()
    loud = model.spec.schedule.model_copy(update={"sigma": 4 * model.spec.schedule.sigma})
    model = replace(model, spec=model.spec.model_copy(update={"schedule": loud}))
    free = generate_series(cine(), model, "ramp", level=70, seed=1, allow_folds=True)
    made = generate_series(cine(), model, "ramp", level=70, seed=1)
    assert not free.metrics["certified"] and free.metrics["guard_scale"] == 1
    assert made.metrics["certified"] and made.metrics["guard_scale"] < 1


def test_a_volume_becomes_a_series() -> None:
    case = tiny.case()
    made = generate_series(case, tiny.model(), "loop", 4, level=30)
    assert made.case.image.shape == (*case.image.shape, 4)
    assert made.case.label_map is not None and made.case.label_map.shape[3] == 4
    assert np.array_equal(made.case.image[..., 0], case.image)


def test_level_zero_stands_still() -> None:
    case = cine()
    made = generate_series(case, tiny.model(), "loop", level=0)
    assert np.array_equal(made.case.image, case.image) and not made.displacements.any()


@pytest.mark.parametrize(("frames", "message"), [(3, "the cine has 5"), (1, "the cine has 5")])
def test_a_cine_keeps_its_frames(frames: int, message: str) -> None:
    with pytest.raises(InputError, match=message):
        generate_series(cine(), tiny.model(), "loop", frames)


@pytest.mark.parametrize("frames", [None, 0, 1])
def test_a_single_frame_cannot_move(frames: int | None) -> None:
    with pytest.raises(InputError, match="frames"):
        generate_series(tiny.case(), tiny.model(), "loop", frames)


def test_itk_reads_the_fields_frame_by_frame(tmp_path: Path) -> None:
    case = cine()
    made = generate_series(case, tiny.model(), "ramp", level=60, seed=4)
    home = save_series(made, tmp_path / "out")
    fields = sitk.ReadImage(str(home / "displacement.nii.gz"), sitk.sitkVectorFloat64)
    images = sitk.ReadImage(str(home / "image.nii.gz"), sitk.sitkFloat64)
    source = sitk.JoinSeries([itk(case, t) for t in range(5)])
    assert fields.GetSize() == (44, 38, 3, 5) and fields.GetNumberOfComponentsPerPixel() == 3
    for t in (0, 2, 4):
        transform = sitk.DisplacementFieldTransform(fields[..., t])
        moved = sitk.Resample(source[..., t], images[..., t], transform, sitk.sitkLinear, 0.0)
        apart = np.abs(sitk.GetArrayFromImage(moved) - sitk.GetArrayFromImage(images[..., t]))
        assert (apart <= 0.501).mean() > 0.985  # stored as integers; border voxels may differ
    assert not holds_field(home / "displacement.nii.gz")


def itk(case: Case, t: int) -> sitk.Image:
    from src_core.cases.grid import RAS_TO_LPS

    grid = case.grid
    image = sitk.GetImageFromArray(case.image[..., t].transpose(2, 1, 0).astype(np.float64))
    image.SetSpacing(grid.spacing)
    image.SetDirection((RAS_TO_LPS[:, None] * grid.direction).ravel().tolist())
    image.SetOrigin((RAS_TO_LPS * grid.affine[:3, 3]).tolist())
    return image


def test_fields_that_are_no_series_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="X, Y, Z, T, 3"):
        write_field_series(tmp_path / "u.nii.gz", np.zeros((52, 60, 3, 3)), tiny.case().grid)


def test_the_shell_makes_a_series_and_makes_it_again(
    tmp_path: Path, tiny_models: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import nibabel as nib

    case = cine()
    for name, data in (("cine", case.image), ("seg", case.label_map)):
        nib.save(nib.Nifti1Image(data, tiny.OBLIQUE), tmp_path / f"{name}.nii.gz")
    out = tmp_path / "out"
    call = ["generate", str(tmp_path / "cine.nii.gz"), "--labels", str(tmp_path / "seg.nii.gz")]
    call += ["--model", "tiny", "--level", "30"]
    assert drdm([*call, "--motion", "loop", "--json", "--out", str(out)]) == 0
    assert json.loads(capsys.readouterr().out)["motion"] == "loop"
    names = {"image.nii.gz", "labels.nii.gz", "displacement.nii.gz", "recipe.json", "metrics.json"}
    assert {p.name for p in out.iterdir()} == names
    made = read_case(out / "image.nii.gz", out / "labels.nii.gz")
    assert made.label_map is not None and made.image.shape == made.label_map.shape
    again = tmp_path / "again"
    assert drdm(["replay", str(out / "recipe.json"), "--out", str(again)]) == 0
    assert "same bits" in capsys.readouterr().out
    for name in names - {"metrics.json"}:
        assert (again / name).read_bytes() == (out / name).read_bytes()
    assert drdm([*call, "--frames", "4", "--out", str(tmp_path / "no")]) == 2
    assert "--motion loop" in capsys.readouterr().err
