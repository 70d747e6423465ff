"""Normals of a surface stay at right angles to it; what is counted and reported of its points."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter

from src_core.cases.grid import RAS_TO_LPS, Grid
from src_core.cases.point_set import PointSet
from src_core.fields.point_sets import move_point_set, outside_warning
from src_core.fields.points import move_points
from tests.support.rings import oblique

GRID = Grid((30, 26, 20), oblique((1.5, 1.2, 3.0)))


def places(voxels: np.ndarray) -> np.ndarray:
    return (voxels @ GRID.affine[:3, :3].T + GRID.affine[:3, 3]) * RAS_TO_LPS


def smooth() -> np.ndarray:
    noise = np.random.default_rng(3).normal(size=(*GRID.shape, 3))
    u = gaussian_filter(noise, (5, 5, 5, 0))
    return GRID.to_lps_mm(3 * u / np.abs(u).max()).astype(np.float32)


def test_normals_stay_at_right_angles_to_the_surface() -> None:
    u, rng = smooth(), np.random.default_rng(4)
    at = places(rng.uniform(8, [21, 17, 11], size=(60, 3)))
    one, other = rng.normal(size=(2, 60, 3))
    normals = np.cross(one, other)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    source = PointSet(at, kind="surface", normals=normals)
    moved = move_point_set(source, u, GRID).points
    step = 1e-5  # two tangents of the surface, moved with it
    ends = [move_points(at + step * t, u, GRID).positions for t in (one, other)]
    tangents = [(end - moved.positions) / step for end in ends]
    exact = np.cross(*tangents)
    exact /= np.linalg.norm(exact, axis=1, keepdims=True)
    assert np.abs(exact - normals).max() > 0.1
    assert np.abs(moved.normals - exact).max() < 1e-3
    back = move_point_set(moved, u, GRID, inverse=True).points
    assert np.abs(back.normals - normals).max() < 1e-6
    assert np.abs(back.positions - at).max() < 1e-6


def test_a_field_without_an_inverse_still_gives_normals() -> None:
    flat = np.zeros((*GRID.shape, 3))
    flat[..., 0] = 8 - np.arange(GRID.shape[0])[:, None, None]  # all goes to one plane
    u = GRID.to_lps_mm(flat).astype(np.float32)
    source = PointSet(places(np.array([[9.5, 9, 9]])), normals=np.array([[0, 1.0, 0]]))
    moved = move_point_set(source, u, GRID, inverse=True).points
    assert np.isfinite(moved.normals).all()


def test_what_is_counted() -> None:
    u = np.zeros((*GRID.shape, 3), np.float32)
    u[:] = GRID.to_lps_mm([0, 0, 2.0])
    metrics = move_point_set(PointSet(places(np.array([[5, 5, 9], [5, 5, 0.5]]))), u, GRID).metrics
    assert metrics["count"] == 2 and metrics["outside"] == 1
    assert np.allclose([metrics["max_mm"], metrics["mean_mm"]], 6, atol=1e-4)
    text = outside_warning("a.csv", metrics)
    assert text == "1 of 2 points of a.csv lie outside the field: they moved as its border does"
    assert outside_warning("a.csv", {**metrics, "outside": 0}) == ""
    folds = {**metrics, "outside": 0, "error_voxels": 0.5}
    assert (
        outside_warning("a.csv", folds)
        == "points of a.csv are up to 0.5 voxel off: the field folds"
    )
