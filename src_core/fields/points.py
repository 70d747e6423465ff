"""Points moved with the tissue: what lies at p comes to the x with ``x + u(x) = p``.

u pulls images back, from the new image to the source, so points go by its inverse. u is multilinear
between voxel centres; beyond them it continues with the displacement of its border.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree
from torch import Tensor

from src_core.cases.grid import RAS_TO_LPS, Grid
from src_core.cases.tiles import parts, tile_axis
from src_core.errors import ArgumentError
from src_core.fields.cells import multilinear
from src_core.fields.newton import preimages
from src_core.fields.planes import Field, along_axis
from src_core.fields.sampling import inside, positions

__all__ = ["MovedPoints", "move_points"]

_ITERATIONS = 60
#: Voxels; rounding leaves about 1e-12.
_TOLERANCE = 1e-8
#: Voxels whose images lie next to a point and from which Newton's method starts again.
_NODES = 8
#: Voxels along each axis that show a field's trend.
_TREND = 5


@dataclass(frozen=True, eq=False)
class MovedPoints:
    """Points after a deformation.

    Attributes:
        positions: (N, 3), float64, LPS mm.
        outside: (N,) bool, whether the place in the new image is more than half a voxel beyond the
            outer voxel centres of the field, so that its border's displacement was taken.
        error_voxels: (N,), |x + u(x) - p|; above 1e-8 only where the field folds and the search
            found no such x.
        jacobian: (N, 3, 3), derivative of x + u(x) in LPS mm, at the place in the new image.
    """

    positions: NDArray[np.float64]
    outside: NDArray[np.bool_]
    error_voxels: NDArray[np.float64]
    jacobian: NDArray[np.float64]


@torch.inference_mode()
def move_points(
    points: ArrayLike,
    field: Field,
    grid: Grid,
    *,
    inverse: bool = False,
    pose: NDArray[np.float64] | None = None,
) -> MovedPoints:
    """Move points of the source image to the new image, or back.

    Args:
        points: (N, 3), LPS mm.
        field: (X, Y, Z, 3), LPS mm, on ``grid``: new(x) = source(x + field(x)).
        grid: where the field lies.
        inverse: from the new image to the source: x + u(x), as ITK's ``TransformPoint``.
        pose: (4, 4), LPS mm, where the field holds one: beyond its grid it is followed as well.

    Raises:
        ArgumentError: no finite points, or no field on this grid.
    """
    given = np.array(points, dtype=np.float64)
    if given.ndim != 2 or given.shape[1] != 3 or not np.isfinite(given).all():
        raise ArgumentError(f"move_points() 'points' must be (N, 3) and finite, got {given.shape}")
    if field.shape != (*grid.shape, 3):
        raise ArgumentError(
            f"move_points() 'field' must be (X, Y, Z, 3) on the grid, got {field.shape}"
        )
    lps = np.append(RAS_TO_LPS, 1)[:, None] * grid.affine
    to_voxels = np.asarray(np.linalg.inv(lps), dtype=np.float64)
    beyond = np.eye(3) if pose is None else (to_voxels @ pose @ lps)[:3, :3]
    mapped = _PointMap(field, grid, torch.from_numpy(beyond))
    at = torch.from_numpy(np.ascontiguousarray(_through(to_voxels, given).T))
    if inverse:
        moved, error = mapped(at)[0], torch.zeros_like(at[0])
    else:
        moved, error = _preimages(mapped, at)
    place = at if inverse else moved
    within = inside(place[None, :, :, None, None], grid.shape).flatten()
    own = torch.stack(mapped(place)[1]).permute(2, 1, 0).numpy()
    slopes = lps[:3, :3] @ own @ to_voxels[:3, :3]
    return MovedPoints(_through(lps, moved.T.numpy()), ~within.numpy(), error.numpy(), slopes)


class _PointMap:
    """``x + u(x)`` in voxels, of the stored field: nothing is copied.

    Beyond the grid, from the nearest position c in it on: ``c + u(c) + L (x - c)``.
    """

    def __init__(self, field: Field, grid: Grid, beyond: Tensor) -> None:
        self.field, self.grid, self.beyond = field, grid, beyond
        self._flat = np.ascontiguousarray(field).reshape(-1, 3)
        self._last = torch.tensor(grid.shape, dtype=torch.float64)[:, None] - 1
        strides = np.array([grid.shape[1] * grid.shape[2], grid.shape[2], 1])
        steps = strides * (np.array(grid.shape) > 1)
        self._strides = torch.from_numpy(strides)[:, None]
        self._corners = np.array([np.dot(one, steps) for one in product((0, 1), repeat=3)])

    def __call__(self, at: Tensor) -> tuple[Tensor, list[Tensor]]:
        """The map at points (3, n), voxels, and the columns of its Jacobian, (3, n) each."""
        held = at.clamp(min=0).minimum(self._last)
        lowest = held.floor().minimum((self._last - 1).clamp(min=0))
        first = (lowest.long() * self._strides).sum(0).numpy()
        u = self.grid.to_voxels(self._flat[self._corners[:, None] + first])
        corners = torch.from_numpy(np.moveaxis(u, -1, 0).reshape(3, 2, 2, 2, -1))
        value, columns = multilinear(corners, held - lowest)
        for axis, column in enumerate(columns):
            column[axis] += 1
            column[:] = torch.where(at[axis] == held[axis], column, self.beyond[:, axis, None])
        return held + value + self.beyond @ (at - held), columns

    def trend(self) -> Tensor:
        """The linear part (3, 3) of the affine map nearest to this one, by a few voxels."""
        some = [
            np.unique(np.linspace(0, n - 1, _TREND).round().astype(int)) for n in self.grid.shape
        ]
        at = np.stack(np.meshgrid(*some, indexing="ij"), -1).reshape(-1, 3)
        u = self.grid.to_voxels(self.field[tuple(at.T)])
        slope = np.linalg.lstsq(at - at.mean(0), u - u.mean(0), rcond=None)[0].T
        return torch.from_numpy(np.eye(3) + slope)

    def nodes(self, targets: NDArray[np.float64]) -> NDArray[np.float64]:
        """Voxels that are mapped next to targets (m, 3), the nearest first: (m, k, 3)."""
        along, shape = tile_axis(self.grid.shape, None), self.grid.shape
        near, found = np.full((len(targets), 1), np.inf), np.zeros((len(targets), 1, 3))
        for part in parts(shape, along):
            ranges = [range(n)[part] if a == along else range(n) for a, n in enumerate(shape)]
            own = positions(ranges, self._last)[0].flatten(1).T.numpy()
            u = self.field[along_axis(along, part)].reshape(-1, 3)
            tree = cKDTree(own + self.grid.to_voxels(u))
            distance, which = tree.query(targets, min(_NODES, len(own)))
            near = np.concatenate([near, distance.reshape(len(targets), -1)], 1)
            found = np.concatenate([found, own[which].reshape(len(targets), -1, 3)], 1)
            best = np.argsort(near, 1, kind="stable")[:, :_NODES]
            near = np.take_along_axis(near, best, 1)
            found = np.take_along_axis(found, best[..., None], 1)
        return found


def _preimages(mapped: _PointMap, goal: Tensor) -> tuple[Tensor, Tensor]:
    """Points (3, n) that are mapped to targets, or next to them, and how far off: (n,), voxels."""
    start = goal - torch.linalg.pinv(mapped.trend()) @ (mapped(goal)[0] - goal)
    found, error = preimages(mapped, start, goal, _ITERATIONS, _TOLERANCE)
    missed = (error > _TOLERANCE).nonzero()[:, 0]
    if not len(missed):
        return found, error
    for start in torch.from_numpy(mapped.nodes(goal[:, missed].T.numpy())).permute(1, 2, 0):
        again, new = preimages(mapped, start, goal[:, missed], _ITERATIONS, _TOLERANCE)
        better = new < error[missed]
        found[:, missed] = torch.where(better, again, found[:, missed])
        error[missed] = torch.where(better, new, error[missed])
    return found, error


def _through(matrix: NDArray[np.float64], points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Points (N, 3) through an affine map (4, 4)."""
    return np.asarray(points @ matrix[:3, :3].T + matrix[:3, 3])
