"""Points through a field: closed forms, SimpleITK, and back again, on an oblique grid."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from src_core.cases.grid import RAS_TO_LPS, Grid
from src_core.errors import ArgumentError
from src_core.fields.inverse_of_saved import invert_field
from src_core.fields.points import move_points
from src_core.fields.posed import posed
from src_core.fields.saved import SavedField
from src_core.io import write_field
from tests.support.rings import oblique

SHAPE = (24, 31, 17)


@pytest.fixture
def grid() -> Grid:
    return Grid(SHAPE, oblique())


def lps(grid: Grid, voxels: NDArray[np.float64]) -> NDArray[np.float64]:
    return RAS_TO_LPS * (voxels @ grid.affine[:3, :3].T + grid.affine[:3, 3])


def voxels_of(grid: Grid, points: NDArray[np.float64]) -> NDArray[np.float64]:
    back = np.linalg.inv(grid.affine)
    return (RAS_TO_LPS * points) @ back[:3, :3].T + back[:3, 3]


def smooth(grid: Grid, voxels: float, seed: int = 3) -> NDArray[np.float32]:
    """A field that moves by up to some voxels along each axis, and at its border as well."""
    noise = np.random.default_rng(seed).normal(size=(*grid.shape, 3))
    u = gaussian_filter(noise, (4, 4, 4, 0))
    return grid.to_lps_mm(voxels * u / np.abs(u).max()).astype(np.float32)


def spread(grid: Grid, count: int, margin: float) -> NDArray[np.float64]:
    """Points at random, no nearer to the border than a margin in voxels."""
    most = np.array(grid.shape) - 1 - margin
    return np.random.default_rng(8).uniform(margin, most, size=(count, 3))


def test_a_point_goes_against_the_field_as_its_tissue_does(grid: Grid) -> None:
    u = np.zeros((*SHAPE, 3), np.float32)
    u[:] = grid.to_lps_mm([2.0, -1.5, 0.5])
    points = spread(grid, 50, 5)
    there = move_points(lps(grid, points), u, grid)
    assert np.allclose(voxels_of(grid, there.positions), points - [2, -1.5, 0.5], atol=1e-5)
    back = move_points(there.positions, u, grid, inverse=True)
    assert np.abs(back.positions - lps(grid, points)).max() < 1e-9
    assert not there.outside.any() and there.error_voxels.max() < 1e-8


def test_a_bright_voxel_lands_where_its_point_lands(grid: Grid) -> None:
    from src_core.cases.case import Case
    from src_core.fields.warp_case import warp_case

    blob = np.zeros(SHAPE, np.float32)
    blob[12, 15, 8] = 1
    blob = gaussian_filter(blob, 1.5)
    u = smooth(grid, 4)
    case = Case.from_arrays(blob, affine=grid.affine)
    new = np.clip(warp_case(case, u).image, 0, None) ** 2
    centre = [np.average(n, weights=new) for n in np.indices(SHAPE)]
    moved = move_points(lps(grid, np.array([[12.0, 15, 8]])), u, case.grid)
    place = voxels_of(grid, moved.positions)[0]
    assert np.linalg.norm(place - [12, 15, 8]) > 0.5
    assert np.linalg.norm(place - centre) < 0.25


@pytest.mark.parametrize("shape", [SHAPE, (24, 31, 1)])
def test_points_and_their_round_trip_are_those_of_simpleitk(
    shape: tuple[int, int, int], tmp_path: Path
) -> None:
    grid = Grid(shape, oblique())
    u = smooth(grid, 2.5)
    if shape[2] == 1:
        u = grid.to_lps_mm(grid.to_voxels(u) * [1, 1, 0]).astype(np.float32)
    write_field(tmp_path / "u.nrrd", u, grid, "nrrd")
    image = sitk.ReadImage(str(tmp_path / "u.nrrd"), sitk.sitkVectorFloat64)
    flat = shape[2] == 1
    points = spread(grid, 500, 0 if flat else 3) * [1, 1, 0 if flat else 1]
    if flat:
        points[:, :2] = np.clip(points[:, :2], 3, [20, 27])
    given = lps(grid, points)
    there = move_points(given, u, grid)
    inside = move_points(there.positions, u, grid, inverse=True)
    assert np.abs(voxels_of(grid, inside.positions) - points).max() < 1e-6
    if not flat:  # ITK interpolates a field of one slice in no direction but its own
        transform = sitk.DisplacementFieldTransform(image)
        theirs = np.array([transform.TransformPoint(p.tolist()) for p in there.positions])
        assert np.abs(theirs - given).max() < 1e-4
        away = np.linalg.norm(voxels_of(grid, theirs) - points, axis=1)
        assert away.max() < 0.01
    assert np.linalg.norm(voxels_of(grid, there.positions) - points, axis=1).max() > 1


def test_the_saved_inverse_agrees_up_to_its_own_interpolation(grid: Grid) -> None:
    u = smooth(grid, 2.5)
    inverse = invert_field(SavedField(u, grid, None)).displacement
    at = np.stack(np.meshgrid(*[np.arange(4, n - 4, 3) for n in SHAPE], indexing="ij"), -1)
    voxels = at.reshape(-1, 3)
    moved = move_points(lps(grid, voxels.astype(float)), u, grid)
    own = lps(grid, voxels.astype(float)) + inverse[tuple(voxels.T)]
    assert np.abs(grid.to_voxels(moved.positions - own)).max() < 1e-3


def test_beyond_the_grid_the_border_continues_and_is_counted(grid: Grid) -> None:
    u = smooth(grid, 2)
    end = grid.to_voxels(u[-1, 15, 8])
    goal = np.array([23.0, 15, 8]) + end + [6, 0, 0]
    moved = move_points(lps(grid, goal[None]), u, grid)
    assert np.allclose(voxels_of(grid, moved.positions)[0], [29, 15, 8], atol=1e-6)
    assert moved.outside.tolist() == [True]
    near = move_points(lps(grid, np.array([[23.4, 15, 8], [23.6, 15, 8]])), u, grid, inverse=True)
    assert near.outside.tolist() == [False, True]


def test_a_pose_is_followed_beyond_the_grid(grid: Grid) -> None:
    c, s = np.cos(0.4), np.sin(0.4)
    pose = np.eye(4)
    pose[:3, :3] = np.diag([-1.0, 1, 1]) @ [[c, -s, 0], [s, c, 0], [0, 0, 1]]
    middle = lps(grid, (np.array([SHAPE]) - 1) / 2)[0]
    pose[:3, 3] = middle - pose[:3, :3] @ middle
    saved = SavedField(np.zeros((*SHAPE, 3), np.float32), grid, None)
    whole = posed(saved, pose)
    points = lps(grid, spread(grid, 300, 0))
    moved = move_points(points, whole, grid, pose=pose)
    exact = (points - pose[:3, 3]) @ np.linalg.inv(pose[:3, :3]).T
    assert 0 < moved.outside.sum() < 300
    assert np.abs(moved.positions - exact).max() < 1e-3
    unknown = move_points(points, whole, grid)
    places = voxels_of(grid, exact)
    stayed = ((places >= 0) & (places <= np.array(SHAPE) - 1)).all(axis=1)
    assert np.abs(unknown.positions - exact)[stayed].max() < 1e-3


def test_places_are_found_in_a_field_with_folds_and_large_displacements(grid: Grid) -> None:
    u = smooth(grid, 12)
    points = lps(grid, spread(grid, 200, 1))
    moved = move_points(points, u, grid)
    there = move_points(moved.positions, u, grid, inverse=True)
    away = np.linalg.norm(grid.to_voxels(there.positions - points), axis=1)
    assert np.allclose(away, moved.error_voxels, atol=1e-6)
    assert np.mean(away < 1e-6) > 0.99


def test_points_do_not_depend_on_each_other(grid: Grid) -> None:
    u = smooth(grid, 3)
    points = lps(grid, spread(grid, 40, 0))
    whole = move_points(points, u, grid).positions
    single = np.concatenate([move_points(p[None], u, grid).positions for p in points])
    assert np.array_equal(whole, single)


@pytest.mark.parametrize(
    ("points", "text"),
    [(np.zeros((4, 2)), r"must be \(N, 3\)"), (np.full((1, 3), np.nan), "finite")],
)
def test_what_are_no_points_is_refused(points: NDArray[np.float64], text: str, grid: Grid) -> None:
    with pytest.raises(ArgumentError, match=text):
        move_points(points, np.zeros((*SHAPE, 3), np.float32), grid)
    with pytest.raises(ArgumentError, match="on the grid"):
        move_points(np.zeros((1, 3)), np.zeros((3, 3, 3, 3), np.float32), grid)
