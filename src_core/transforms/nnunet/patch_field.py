"""A deformation in the voxels of a patch that nnU-Net cut out of a preprocessed case.

``u_patch(x) = A^-1 u_case(A x + b)``: A and b from patch to case. It is sampled where the model
composed it, on its state grid, and so costs what the patch costs, not what the case would.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from src_core.fields.sampling import inside, sample
from src_core.models.fit import Fit
from src_core.transforms.deformation import Deformation

__all__ = ["PatchField"]

# Voxels: what rounding leaves of a component that is zero.
_ROUNDING = 1e-3


@dataclass(frozen=True, eq=False)
class PatchField:
    """A deformation over a patch, sampled where it is needed.

    Attributes:
        deformation: of the case, without a pose.
        to_case: (4, 4), voxels of the patch's three axes -> voxels (X, Y, Z) of the case.
    """

    deformation: Deformation
    to_case: NDArray[np.float64]

    @cached_property
    def reach(self) -> tuple[int, int, int]:
        """No displacement is larger along an axis of the patch: whole voxels."""
        u = self.deformation.u
        largest = np.abs(u).max((0, *range(2, u.ndim))).astype(np.float64)
        whole = np.ceil(np.abs(self._to_patch()) @ largest - _ROUNDING).astype(int)
        a, b, c = (int(n) for n in whole)
        return a, b, c

    def of(self, corner: Sequence[int]) -> PatchField:
        """Over a patch of this one whose first voxel is at ``corner``."""
        moved = np.eye(4)
        moved[:3, 3] = corner
        return replace(self, to_case=self.to_case @ moved)

    def at(self, positions: Tensor) -> Tensor:
        """Displacements (..., 3), voxels of the patch, at positions (..., 3) in it.

        They are 0 outside the case.
        """
        flat = positions.reshape(-1, 3)
        matrix = torch.as_tensor(self.to_case, dtype=flat.dtype)
        case = (flat @ matrix[:3, :3].T + matrix[:3, 3]).T.reshape(1, 3, -1, 1, 1)
        values, where = self._values(case)
        found = sample(values.to(flat.dtype), where).flatten(2)[0]
        there = inside(case, self.deformation.grid.shape).flatten()
        back = torch.as_tensor(self._to_patch(), dtype=flat.dtype)
        return (torch.where(there, found, 0.0).T @ back.T).reshape(positions.shape)

    def _values(self, case: Tensor) -> tuple[Tensor, Tensor]:
        """The displacements as one array, and positions (1, 3, n, 1, 1), case voxels, in its own.

        Returns:
            (1, D, *axes), D the axes along which anything moves, and (1, len(axes), n, ...).
        """
        u, fit = torch.from_numpy(self.deformation.u), self._fit
        where = case[:, self._moving]
        if fit is not None:
            where = fit.to_state(where, u.shape[-1])
        if self.deformation.axis is not None and len(u) > 1:
            where = torch.cat([case[:, [self.deformation.axis]], where], 1)
            u = u.movedim(0, 1)[None]
        return u, where if where.shape[1] == 3 else where[..., 0]

    @cached_property
    def _moving(self) -> list[int]:
        """The case's axes that displacements have components along."""
        return [axis for axis in range(3) if axis != self.deformation.axis]

    @cached_property
    def _fit(self) -> Fit | None:
        """How the case lies in the state grid; None where displacements are on its own."""
        grid, size = self.deformation.grid, self.deformation.size
        shape = tuple(grid.shape[axis] for axis in self._moving)
        spacing = tuple(grid.spacing[axis] for axis in self._moving)
        return Fit(shape, spacing, size) if size else None

    def _to_patch(self) -> NDArray[np.float64]:
        """(3, D): a stored displacement -> the patch's voxels."""
        vectors = np.linalg.inv(self.to_case[:3, :3])[:, self._moving]
        if self._fit is None:
            return np.asarray(vectors, dtype=np.float64)
        mm = self._fit.mm_per_pixel * self._fit.size / self.deformation.u.shape[-1]
        return np.asarray(vectors * (mm / np.array(self._fit.spacing)), dtype=np.float64)
