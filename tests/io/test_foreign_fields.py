"""Fields of other programs are read as the map that they hold, or refused; by closed form."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from src_core.cases.case import Case
from src_core.cases.grid import Grid
from src_core.errors import ArgumentError, InputError
from src_core.fields.warp_case import warp_case
from src_core.io import holds_field, read_case, read_field, read_field_series
from src_core.io.field_files import content_of, read_field_file
from src_core.io.field_kinds import FIELD_KINDS, kind_named
from src_core.io.foreign_files import FOREIGN
from tests.support.foreign_fields import (
    GRIDS,
    PROGRAMS,
    SHAPE,
    lps,
    onto,
    places,
    pulled,
    save_nifti,
    voxels,
)

every_grid = pytest.mark.parametrize("grid", GRIDS.values(), ids=GRIDS)
OBLIQUE = GRIDS["oblique, flipped"]


@every_grid
@pytest.mark.parametrize("program", PROGRAMS)
def test_a_field_is_the_map_that_its_program_means(
    program: str, grid: Grid, tmp_path: Path
) -> None:
    path = PROGRAMS[program](tmp_path, grid)
    u, place = read_field(path)
    assert u.dtype == np.float32 and place.distance_mm(grid) < 1e-4
    np.testing.assert_allclose(u, lps(grid), atol=1e-4)
    assert holds_field(path)
    with pytest.raises(InputError, match=r"this is a displacement field: .*(intent|AFNI)"):
        read_case(path)


@every_grid
def test_scipy_warps_by_the_map_as_we_do_by_the_file(grid: Grid, tmp_path: Path) -> None:
    i, j, k = np.indices(SHAPE)
    image = (np.sin(i / 2) + 2 * np.cos(j / 3) + i * k / 20).astype(np.float32)
    expected, inside = pulled(image, grid)
    assert inside.mean() > 0.2 and np.abs(expected - image)[inside].max() > 0.5
    case = Case.from_arrays(image, affine=grid.affine)
    for program in ("SPM y_", "NiftyReg deformation", "FSL, absolute"):
        u, _ = read_field(PROGRAMS[program](tmp_path, grid))
        np.testing.assert_allclose(warp_case(case, u).image[inside], expected[inside], atol=1e-3)


def test_no_kind_could_be_taken_for_another(tmp_path: Path) -> None:
    """The map is such that a wrong sign, axis or unit is noticed."""
    values = lps(OBLIQUE)[:, :, :, None]
    path = save_nifti(tmp_path / "u.nii", values, OBLIQUE, 1007)
    read = [read_field_file(path, kind=kind.name).displacement for kind in FIELD_KINDS[:-1]]
    different = {"fsl": "fsl-relative"}  # FSL's own rule finds that it is relative
    for a, (one, first) in enumerate(zip(read, FIELD_KINDS, strict=False)):
        for two, second in zip(read[a + 1 :], FIELD_KINDS[a + 1 :], strict=False):
            apart = float(np.abs(one - two).max())
            assert (apart > 1) is (different.get(first.name) != second.name)


@every_grid
@pytest.mark.parametrize("kind", ["voxels", "voxel-positions", "ras-positions", "lps-positions"])
@pytest.mark.parametrize("layout", ["last", "first", "fifth"])
def test_a_kind_that_the_caller_states(kind: str, layout: str, grid: Grid, tmp_path: Path) -> None:
    """As VoxelMorph and Learn2Reg write it, (X, Y, Z, 3), or (3, X, Y, Z) from PyTorch."""
    x = places(grid)
    at = np.moveaxis(np.indices(SHAPE), 0, -1)
    values = {
        "voxels": voxels(grid, onto(x)) - at,
        "voxel-positions": voxels(grid, onto(x)),
        "ras-positions": onto(x),
        "lps-positions": onto(x) * [-1, -1, 1],
    }[kind]
    shaped = {"last": values, "first": np.moveaxis(values, -1, 0), "fifth": values[:, :, :, None]}
    path = save_nifti(tmp_path / "disp_0001_0002.nii.gz", shaped[layout], grid)
    u, place = read_field(path, kind=kind)
    np.testing.assert_allclose(u, lps(grid), atol=1e-4)
    assert place.distance_mm(grid) < 1e-4
    if layout != "fifth":
        with pytest.raises(InputError, match=r"does not say of which kind.*field_kind"):
            read_field(path)
    elif kind != "voxels":
        with pytest.raises(InputError, match=r"positions in (RAS mm|LPS mm|voxels).*field_kind"):
            read_field(path)


@pytest.mark.parametrize("kind", ["fsl", "fsl-relative", "fsl-absolute"])
def test_fsl_s_rule_can_be_overruled(kind: str, tmp_path: Path) -> None:
    absolute = PROGRAMS["FSL, absolute"](tmp_path, OBLIQUE)
    u, _ = read_field(absolute, kind=kind)
    right = bool(np.abs(u - lps(OBLIQUE)).max() < 1e-4)
    assert right is (kind != "fsl-relative")


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({"intent_name": b"NREG_TRANS", "intent_p1": 2}, "NiftyReg.*type 2.*reg_transform"),
        ({"intent_name": b"NREG_TRANS", "intent_p1": 5}, "NiftyReg.*type 5.*reg_transform"),
        ({"intent_name": b"NREG_TRANS", "intent_p1": np.nan}, "NiftyReg.*type -1"),
        ({"intent_name": b"NREG_TRANS", "intent_p1": np.inf}, "NiftyReg.*type -1"),
        ({"intent_name": b"NREG_CPP_FILE"}, "NiftyReg.*NREG_CPP_FILE.*reg_transform"),
        ({"descrip": b"Flow Field"}, "velocities of SPM.*Deformations"),
        ({"intent_code": 1005}, "symmetric matrices"),
        ({"intent_code": 2007}, "FNIRT's coefficients.*fnirtfileutils"),
        ({"intent_code": 2009}, "FNIRT's coefficients.*fnirtfileutils"),
        ({"intent_code": 2016}, "topup's coefficients.*let topup"),
    ],
    ids=str,
)
def test_what_is_no_field_yet_is_refused(
    entries: dict[str, Any], message: str, tmp_path: Path
) -> None:
    values = lps(OBLIQUE)[:, :, :, None]
    path = save_nifti(tmp_path / "f.nii.gz", values, OBLIQUE, **{"intent_code": 1007, **entries})
    for read in (read_field, read_case):
        with pytest.raises(InputError, match=message):
            read(path)
    assert not holds_field(path)
    u, _ = read_field(path, kind="lps")  # who knows better may say so
    np.testing.assert_allclose(u, lps(OBLIQUE), atol=1e-5)


def test_values_that_are_no_displacements_are_noticed(tmp_path: Path) -> None:
    x = places(OBLIQUE)
    rng = np.random.default_rng(0)
    directions = rng.normal(size=(*SHAPE, 3))
    directions /= np.linalg.norm(directions, axis=-1, keepdims=True)
    for values, words in ((onto(x), "positions in RAS mm"), (directions, "of length 1")):
        path = save_nifti(tmp_path / "v.nii", values[:, :, :, None], OBLIQUE, 1007)
        with pytest.raises(InputError, match=f"{words}.*field_kind"):
            read_field(path)
    shift = np.broadcast_to([0.6, -0.8, 0.0], (*SHAPE, 1, 3))  # a millimetre to one side is none
    u, _ = read_field(save_nifti(tmp_path / "shift.nii", shift, OBLIQUE, 1007))
    np.testing.assert_allclose(u, shift[:, :, :, 0], atol=1e-6)


def test_a_series_of_positions_is_read_frame_by_frame(tmp_path: Path) -> None:
    x = places(OBLIQUE)
    values = np.stack([onto(x), x], axis=3)
    path = save_nifti(tmp_path / "y.nii", values, OBLIQUE, 1007, intent_name=b"Mapping")
    u, _ = read_field_series(path)
    np.testing.assert_allclose(u[..., 0, :], lps(OBLIQUE), atol=1e-4)
    np.testing.assert_allclose(u[..., 1, :], 0, atol=1e-4)


def test_large_fields_are_converted_in_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = PROGRAMS["SPM y_"](tmp_path, OBLIQUE)
    whole, _ = read_field(path)
    monkeypatch.setattr("src_core.cases.tiles.LARGE", 100)
    monkeypatch.setattr("src_core.cases.tiles.PART", 300)
    parts, _ = read_field(path)
    np.testing.assert_array_equal(parts, whole)


@pytest.mark.parametrize("ending", [e for endings, _, _ in FOREIGN for e in endings])
def test_files_of_other_programs_are_refused_by_name(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"anat+tlrc{ending.upper() if ending in ('.head', '.brik') else ending}"
    path.write_bytes(b"whatever it holds")
    for read in (read_field, read_case):
        with pytest.raises(InputError, match=r"^this is an? |^these are ") as caught:
            read(path)
        assert caught.value.do and str(path) in str(caught.value)
        assert "\n" not in str(caught.value)


def test_what_a_header_says_comes_with_its_reason(tmp_path: Path) -> None:
    found = content_of(PROGRAMS["SPM y_"](tmp_path, OBLIQUE))
    assert found is not None and (found.holds, found.kind) == (
        "field",
        kind_named("ras-positions"),
    )
    assert "Mapping" in found.why and content_of(tmp_path / "none.nii") is None
    with pytest.raises(ArgumentError, match="kind must be of lps, ras"):
        kind_named("vtk")


def test_a_label_map_says_so_by_its_intent(tmp_path: Path) -> None:
    values = np.zeros(SHAPE)
    values[4:8, 3:6, 2:5] = 2
    path = save_nifti(tmp_path / "heart.nii", values, OBLIQUE, 1002)
    found = content_of(path)
    assert found is not None and found.holds == "labels" and read_case(path).image.max() == 2
    with pytest.raises(InputError, match=r"this is labels .intent 1002."):
        read_field(path)
