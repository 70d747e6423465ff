"""What targets are measured on: the labels that one deformation serves, before and after it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from src_core.cases.grid import RAS_TO_LPS, Grid
from src_core.fields import enlarge
from src_core.fields.planes import Field
from src_core.fields.sampling import identity, warp

__all__ = ["Delivered", "SoftLabels", "SteeredPart", "labels_of"]


@dataclass(frozen=True, eq=False)
class SteeredPart:
    """All slices of a case, one of them, or a volume: what one deformation serves.

    Attributes:
        grid: of its voxels.
        axis: the slice axis of a 2D model, None for a 3D one.
        labels: (X, Y, Z) or (X, Y, Z, T), the source's; None without.
        image: from values on the axes that are deformed to the model's grid, (1, 1, *size).
        to_state: positions (1, D, N), voxels along the axes that are deformed -> state voxels.
        mm: side of a state voxel.
    """

    grid: Grid
    axis: int | None
    labels: NDArray[Any] | None
    image: Callable[[NDArray[np.float32]], Tensor]
    to_state: Callable[[Tensor], Tensor]
    mm: float

    @property
    def axes(self) -> tuple[int, ...]:
        """The voxel axes that are deformed."""
        return tuple(a for a in range(3) if a != self.axis)

    def share(self, label: int) -> Tensor:
        """A label's share of the model's voxels, the mean over slices and frames: (1, 1, *size)."""
        assert self.labels is not None
        mask = (self.labels == label).astype(np.float32)
        over = (*((self.axis,) if self.axis is not None else ()), *range(3, mask.ndim))
        return self.image(mask.mean(axis=over) if over else mask)

    def voxel_of(self, point: tuple[float, float, float]) -> NDArray[np.float64]:
        """A point in LPS mm, in voxels of the grid: (3,)."""
        return np.linalg.solve(self.grid.affine, [*(RAS_TO_LPS * point), 1.0])[:3]

    def state_of(self, voxel: NDArray[np.float64]) -> Tensor:
        """A position (3,) in voxels of the grid, in state voxels: (D,), float64."""
        at = torch.from_numpy(np.ascontiguousarray(voxel[list(self.axes)]))
        return self.to_state(at[None, :, None])[0, :, 0]

    def in_plane(self, lps_mm: NDArray[np.float64]) -> NDArray[np.float64]:
        """A vector in LPS mm without its part along the slice axis of a 2D model: (3,)."""
        voxels = self.grid.to_voxels(lps_mm)
        if self.axis is not None:
            voxels[self.axis] = 0
        return self.grid.to_lps_mm(voxels)

    def state_vector(self, lps_mm: tuple[float, float, float]) -> Tensor:
        """A vector in LPS mm, in state voxels: (D,), float64."""
        voxels = self.grid.to_voxels(np.asarray(lps_mm, dtype=np.float64))
        return self.state_of(voxels) - self.state_of(np.zeros(3))


@dataclass(frozen=True, eq=False)
class Delivered:
    """What a deformation made of a part.

    Attributes:
        labels: as the source's.
        field: (X, Y, Z, 3), LPS mm, on the part's grid.
    """

    labels: NDArray[Any] | None
    field: Field


@dataclass(frozen=True, eq=False)
class SoftLabels:
    """The shares of labels on the model's grid, after a map; what a further velocity changes.

    Attributes:
        part: whose labels they are.
        u: (1, D, *state), state voxels.
        shares: those of labels before it, (1, 1, *size) each, computed when they are needed.
        size: voxels per side of the model's grid.
    """

    part: SteeredPart
    u: Tensor
    shares: dict[int, Tensor]
    size: int

    @cached_property
    def full(self) -> Tensor:
        """The map on the model's grid: (1, D, *size), its voxels."""
        return enlarge(self.u, self.factor) if self.factor > 1 else self.u

    @property
    def factor(self) -> int:
        """Voxels of the model's grid along the side of a state voxel."""
        return self.size // self.u.shape[-1]

    @cached_property
    def points(self) -> Tensor:
        """Positions of the model's voxels: (D, *size)."""
        return identity(self.full.shape[2:], self.full)[0]

    def warped(self, label: int) -> Tensor:
        """The share of a label after the map: (*size)."""
        if label not in self.shares:
            self.shares[label] = self.part.share(label)
        return warp(self.shares[label], self.full, padding="zeros")[0, 0]

    def change(self, label: int, values: Tensor | float) -> Tensor:
        """Gradient of the sum of ``values`` (*size) over a label: (D, *state)."""
        slopes = torch.stack(torch.gradient(self.warped(label)))
        return self.on_state(slopes * values)

    def on_state(self, gradient: Tensor) -> Tensor:
        """From a gradient by a velocity on the model's grid (D, *size) to one on the state grid."""
        if self.factor == 1:
            return gradient
        pool = functional.avg_pool2d if gradient.dim() == 3 else functional.avg_pool3d
        # a state voxel moves as many of the model's voxels as it has, each by ``factor`` of them
        summed = self.factor ** (gradient.dim() - 1)
        return pool(gradient[None], self.factor)[0] * (summed * self.factor)


def labels_of(labels: NDArray[Any] | None) -> NDArray[Any]:
    """Labels that are known to be there, since the targets were checked."""
    assert labels is not None
    return labels
