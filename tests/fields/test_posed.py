"""A field under a pose: closed forms, parts of large grids, other grids, and the inverse."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from src_core.cases import tiles
from src_core.cases.grid import RAS_TO_LPS, Grid
from src_core.fields.inverse_of_saved import invert_field
from src_core.fields.planes import field_tensor, in_plane_axis
from src_core.fields.posed import PoseMatrix, posed, posed_on, unposed
from src_core.fields.sampling import sample
from src_core.fields.saved import SavedField
from src_core.generation.drawn import DrawnPose
from tests.support.tiny import OBLIQUE

GRID = Grid((24, 30, 5), OBLIQUE)
SHEARED = np.array([[1.2, 0.3, 2.0, 5], [-0.4, 0.9, -1.5, -7], [0, 0, 8, 3], [0, 0, 0, 1.0]])
POSE = DrawnPose((0.0, 0.0, 20.0), 1.1, (3.0, -2.0, 0.0), (True, False, False))


def places(grid: Grid) -> np.ndarray:
    """Positions of voxels, (X, Y, Z, 3), LPS mm."""
    voxels = np.stack(np.meshgrid(*map(np.arange, grid.shape), indexing="ij"), -1)
    return RAS_TO_LPS * (voxels @ grid.affine[:3, :3].T + grid.affine[:3, 3])


def through(matrix: PoseMatrix, at: np.ndarray) -> np.ndarray:
    return at @ matrix[:3, :3].T + matrix[:3, 3]


def still(grid: Grid) -> np.ndarray:
    return np.zeros((*grid.shape, 3), np.float32)


def wave(grid: Grid, ndim: int, alike: bool = False) -> np.ndarray:
    """A smooth field, mm; within the slices in 2D, and the same in each where ``alike``."""
    x, y, z = np.meshgrid(*map(np.arange, grid.shape), indexing="ij")
    z = np.zeros_like(z) if alike else z
    voxels = np.stack([np.sin(y / 5 + z), 0.7 * np.cos(x / 6 - z), 0.1 * np.sin(x / 7)], -1)
    voxels[..., 2] *= ndim == 3
    return grid.to_lps_mm(voxels).astype(np.float32)


@pytest.mark.parametrize("axis", [2, None])
@pytest.mark.parametrize("shared", [True, False])
def test_a_pose_alone_is_an_affine_map(axis: int | None, shared: bool) -> None:
    matrix = POSE.matrix(GRID, axis)
    saved = SavedField(still(GRID), GRID, axis, shared and axis is not None)
    at = places(GRID)
    assert np.allclose(at + posed(saved, matrix), through(matrix, at), atol=1e-5)


def test_a_pose_turns_scales_shifts_and_flips_the_content() -> None:
    grid = Grid((9, 9, 9), np.diag([-2.0, -2, 2, 1]))  # voxel axes are LPS axes, 2 mm
    centre = np.array([8.0, 8, 8])
    content = np.array([3.0, 1, 0])  # mm from the centre
    for drawn, moved in (
        (DrawnPose(rotation=(0, 0, 90)), (-1, 3, 0)),
        (DrawnPose(rotation=(90, 0, 0)), (3, 0, 1)),
        (DrawnPose(scale=1.5), (4.5, 1.5, 0)),
        (DrawnPose(shift=(4, 0, -2)), (7, 1, -2)),
        (DrawnPose(flip=(True, False, False)), (-3, 1, 0)),
    ):
        back = through(drawn.matrix(grid, None), centre + moved)
        assert np.allclose(back, centre + content), drawn


@pytest.mark.parametrize("affine", [OBLIQUE, SHEARED], ids=["oblique", "sheared"])
@pytest.mark.parametrize("shared", [True, False])
def test_slices_stay_in_their_planes(affine: np.ndarray, shared: bool) -> None:
    grid = Grid((24, 30, 5), affine)
    matrix = POSE.matrix(grid, 2)
    whole = posed(SavedField(wave(grid, 2, alike=shared), grid, 2, shared), matrix)
    assert in_plane_axis(whole, grid) == 2
    bare = posed(SavedField(still(grid), grid, 2, shared), matrix)
    at = places(grid)
    assert np.allclose(at + bare, through(matrix, at), atol=1e-5)
    alike = np.abs(whole - whole[:, :, :1]).max() < 1e-4
    assert alike == (shared and affine is OBLIQUE)


@pytest.mark.parametrize("axis", [2, None])
def test_the_field_is_read_where_the_pose_points(axis: int | None) -> None:
    u = wave(GRID, 3 if axis is None else 2)
    matrix = POSE.matrix(GRID, axis)
    whole, at = posed(SavedField(u, GRID, axis), matrix), places(GRID)
    to = through(matrix, at)
    voxels = GRID.to_voxels(to - at[0, 0, 0])
    values = torch.from_numpy(np.moveaxis(u, -1, 0)[None].astype(np.float64))
    read = sample(values, torch.from_numpy(np.moveaxis(voxels, -1, 0)[None]))
    assert np.allclose(at + whole, to + np.moveaxis(read[0].numpy(), 0, -1), atol=1e-4)


@pytest.mark.parametrize("axis", [2, None])
def test_parts_of_a_large_grid_are_those_of_the_whole(
    axis: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    matrix, saved = POSE.matrix(GRID, axis), SavedField(wave(GRID, 2), GRID, axis)
    whole, back = posed(saved, matrix), unposed(saved.field, GRID, matrix)
    monkeypatch.setattr(tiles, "LARGE", 100)
    monkeypatch.setattr(tiles, "PART", 24 * 30 * 2)
    assert len(list(tiles.parts(GRID.shape, 2))) == 3
    assert np.array_equal(posed(saved, matrix), whole)
    assert np.array_equal(unposed(saved.field, GRID, matrix), back)


def test_another_grid_gets_the_same_map() -> None:
    u, matrix = wave(GRID, 3), POSE.matrix(GRID, None)
    own = posed(SavedField(u, GRID, None), matrix)
    assert np.allclose(posed_on(u, GRID, matrix, GRID), own, atol=1e-4)
    first = np.eye(4)
    first[:3, 3] = [6, 4, 1]
    part = Grid((10, 12, 3), GRID.affine @ first)
    assert np.allclose(posed_on(u, GRID, matrix, part), own[6:16, 4:16, 1:4], atol=1e-4)


def test_the_inverse_leads_back() -> None:
    u, matrix = wave(GRID, 2), POSE.matrix(GRID, 2)
    saved = SavedField(u, GRID, 2)
    psi = invert_field(saved).displacement
    back, at = unposed(psi, GRID, matrix), places(GRID)
    assert np.allclose(through(matrix, at + back), at + psi, atol=1e-4)
    bare = unposed(still(GRID), GRID, matrix)
    assert np.allclose(through(matrix, at + bare), at, atol=1e-4)
    assert field_tensor(back, GRID, 2).isfinite().all()
