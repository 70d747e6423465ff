"""Where voxels lie: ``x_ras = affine @ (i, j, k, 1)`` in mm; ITK's LPS is diag(-1, -1, 1) x_ras.

Displacements in voxels and in LPS mm are vectors: only the 3x3 part of the affine moves them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from src_core.errors import ArgumentError

__all__ = ["RAS_TO_LPS", "Grid"]

RAS_TO_LPS = np.array([-1.0, -1.0, 1.0])
_ORTHONORMAL = 1e-4
_THICK = 1.5


@dataclass(frozen=True, eq=False)
class Grid:
    """A voxel grid in space.

    Args:
        shape: (X, Y, Z), each at least 1.
        affine: (4, 4), voxel -> RAS mm; its columns are direction times spacing.

    Raises:
        ArgumentError: not three positive sizes, or not an invertible affine.
    """

    shape: tuple[int, int, int]
    affine: NDArray[np.float64]

    def __post_init__(self) -> None:
        shape = tuple(int(n) for n in self.shape)
        if len(shape) != 3 or min(shape) < 1:
            raise ArgumentError(f"Grid() 'shape' must be three positive sizes, got {self.shape}")
        affine = np.array(self.affine, dtype=np.float64)
        if affine.shape != (4, 4) or not np.isfinite(affine).all():
            raise ArgumentError(f"Grid() 'affine' must be (4, 4) and finite, got {affine.tolist()}")
        if not np.linalg.norm(affine[:3, :3], axis=0).all() or not np.linalg.det(affine[:3, :3]):
            raise ArgumentError(f"Grid() 'affine' must be invertible, got {affine.tolist()}")
        affine.flags.writeable = False
        object.__setattr__(self, "shape", shape)
        object.__setattr__(self, "affine", affine)

    @classmethod
    def from_spacing(cls, shape: Sequence[int], spacing: float | Sequence[float] = 1.0) -> Grid:
        """A grid without orientation, as ITK takes it: LPS axes, origin 0, spacing in mm.

        One spacing holds for all axes, two for a picture's columns and rows (slices are 1 mm).
        """
        given = np.atleast_1d(np.asarray(spacing, dtype=np.float64))
        if given.size == 1:
            given = np.repeat(given, 3)
        if given.size not in (2, 3) or not (np.isfinite(given) & (given > 0)).all():
            raise ArgumentError(
                f"Grid.from_spacing() 'spacing' must be 1, 2 or 3 positive mm, got {spacing}"
            )
        scale = np.append(given, 1.0)[:3]
        return cls(tuple(shape), np.diag([*(RAS_TO_LPS * scale), 1.0]))  # type: ignore[arg-type]

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Distance between neighbouring voxel centres along each axis, mm."""
        x, y, z = np.linalg.norm(self.affine[:3, :3], axis=0)
        return float(x), float(y), float(z)

    @property
    def direction(self) -> NDArray[np.float64]:
        """(3, 3), unit vectors of the voxel axes as columns, RAS."""
        return np.asarray(self.affine[:3, :3] / np.asarray(self.spacing), dtype=np.float64)

    @property
    def sheared(self) -> bool:
        """Whether the voxel axes are not at right angles, which ITK cannot represent."""
        gram = self.direction.T @ self.direction
        return bool(np.abs(gram - np.eye(3)).max() > _ORTHONORMAL)

    @property
    def slice_axis(self) -> int:
        """The axis slices are stacked along: a clearly thicker one (1.5 times), else the last."""
        if self.shape[2] == 1:
            return 2
        spacing = np.asarray(self.spacing)
        thick = [a for a in range(3) if (spacing[a] >= _THICK * np.delete(spacing, a)).all()]
        return thick[0] if thick else 2

    def to_lps_mm(self, u_vox: ArrayLike) -> NDArray[np.float64]:
        """Displacements (..., 3) in voxels -> LPS mm, float64."""
        return np.asarray(np.asarray(u_vox, dtype=np.float64) @ self._lps().T)

    def to_voxels(self, u_lps_mm: ArrayLike) -> NDArray[np.float64]:
        """Displacements (..., 3) in LPS mm -> voxels of this grid, float64."""
        return np.asarray(np.asarray(u_lps_mm, dtype=np.float64) @ np.linalg.inv(self._lps()).T)

    def distance_mm(self, other: Grid) -> float:
        """Largest distance in mm between the corners of two grids, as voxels of this one."""
        corners = np.stack(
            np.meshgrid(*[(0.0, n - 1.0) for n in self.shape], [1.0], indexing="ij"), axis=-1
        )
        apart = (corners @ (self.affine - other.affine).T)[..., :3]
        return float(np.linalg.norm(apart, axis=-1).max())

    def _lps(self) -> NDArray[np.float64]:
        return np.asarray(RAS_TO_LPS[:, None] * self.affine[:3, :3])

    def __eq__(self, other: Any) -> bool:
        return (
            isinstance(other, Grid)
            and self.shape == other.shape
            and np.array_equal(self.affine, other.affine)
        )

    def __hash__(self) -> int:
        return hash((self.shape, self.affine.tobytes()))
