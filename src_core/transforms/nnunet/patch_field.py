"""A deformation in the voxels of a patch that nnU-Net cut out of a preprocessed case.

``u_patch(x) = A^-1 u_case(A x + b)``: A and b from patch to case, u_case in the case's voxels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from src_core.fields.sampling import sample_inside
from src_core.transforms.placed import Placed

__all__ = ["PatchField"]

# Voxels: what rounding leaves of a component that is zero.
_ROUNDING = 1e-3


@dataclass(frozen=True, eq=False)
class PatchField:
    """A deformation over a patch, sampled where it is needed.

    Attributes:
        placed: the deformation on its case's grid.
        to_case: (4, 4), voxels of the patch's three axes -> voxels (X, Y, Z) of the case.
    """

    placed: Placed
    to_case: NDArray[np.float64]

    @cached_property
    def reach(self) -> tuple[int, int, int]:
        """No displacement is larger along an axis of the patch: whole voxels."""
        largest = np.zeros(3)
        largest[self._moving] = self.placed.u.abs().amax([0, *range(2, self.placed.u.dim())])
        whole = np.ceil(np.abs(self._from_case) @ largest - _ROUNDING).astype(int)
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
        case = flat @ matrix[:3, :3].T + matrix[:3, 3]
        values, axes = self._sampled()
        where = case[:, axes].T.reshape(1, len(axes), -1, *[1] * (len(axes) - 1))
        found = sample_inside(values.to(flat.dtype), where, 0.0)
        back = torch.as_tensor(self._from_case[:, self._moving], dtype=flat.dtype)
        return (found.flatten(2)[0].T @ back.T).reshape(positions.shape)

    @property
    def _moving(self) -> list[int]:
        """The case's axes that displacements have components along."""
        return [axis for axis in range(3) if axis != self.placed.axis]

    @property
    def _from_case(self) -> NDArray[np.float64]:
        """(3, 3): a vector in the case's voxels -> in the patch's."""
        return np.asarray(np.linalg.inv(self.to_case[:3, :3]), dtype=np.float64)

    def _sampled(self) -> tuple[Tensor, list[int]]:
        """The displacements as one array, (1, 2 or 3, *axes), and the case's axes it has."""
        u, axis = self.placed.u, self.placed.axis
        if axis is None or len(u) == 1:
            return u, self._moving
        return u.movedim(0, 1)[None], [axis, *self._moving]
