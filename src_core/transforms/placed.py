"""A deformation over images of one grid: what samples their voxels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from src_core.cases.intensities import background, rounded
from src_core.fields import invert
from src_core.fields.moved import displaced, moved_images, moved_slices
from src_core.fields.planes import from_planes, to_planes
from src_core.fields.sampling import Mode, warp_labels
from src_core.transforms.labels import labels_at

__all__ = ["Placed"]


@dataclass(frozen=True, eq=False)
class Placed:
    """A deformation over images of one grid.

    Attributes:
        u: (1 or Z, 2, A, B), voxels of the slices along ``axis``, or (1, 3, X, Y, Z).
        axis: the slice axis, None in 3D.
    """

    u: Tensor
    axis: int | None

    def inverse(self) -> Placed:
        """The inverse: phi(psi(y)) = y, wherever psi(y) lies inside; see ``fields.invert``."""
        return Placed(invert(self.u.double()).displacement, self.axis)

    def image(
        self,
        values: Tensor,
        mode: Mode = "linear",
        change: Callable[[Tensor], Tensor] | None = None,
    ) -> Tensor:
        """Images (C, X, Y, Z), of their own type; gradients reach ``values``.

        Outside, a channel takes its smallest value where that is negative and else 0. ``change`` of
        what was sampled, (C, X, Y, Z), comes before values are rounded for a type.
        """
        wide = values if values.dtype == torch.float64 else values.float()
        planes = self._planes(wide)
        outside = background(wide.detach().flatten(1).amin(1))
        outside = outside.repeat_interleave(planes.shape[1] // len(values))
        moved = moved_images(planes, self.u.to(wide), outside, mode)
        new = self._volumes(moved, values.shape)
        return _stored(new if change is None else change(new), values.dtype)

    def labels(self, values: Tensor, mode: Literal["linear", "nearest"] = "linear") -> Tensor:
        """Labels (C, X, Y, Z), whole numbers of whatever type: one-hot linear argmax, or nearest.

        Outside they are 0.
        """
        planes = self._planes(values)
        like = values if values.dtype == torch.float64 else values[:0].float()
        u = self.u.to(like)
        moved = moved_slices(planes, u, mode)
        if moved is None:
            warped = labels_at if self.axis is None else warp_labels
            moved = warped(planes, displaced(u), mode)
        return self._volumes(moved, values.shape).to(values.dtype)

    def _planes(self, values: Tensor) -> Tensor:
        """(C, X, Y, Z) -> (1, C, X, Y, Z), (Z, C, A, B), or (1, C Z, A, B) for one field of all."""
        if self.axis is None or len(self.u) > 1:
            return to_planes(values, self.axis)
        return values.movedim(self.axis + 1, 1).flatten(0, 1)[None]

    def _volumes(self, planes: Tensor, shape: torch.Size) -> Tensor:
        """The reverse of ``_planes``."""
        if self.axis is None or len(self.u) > 1:
            return from_planes(planes, self.axis).contiguous()
        stack = planes[0].unflatten(0, (shape[0], shape[self.axis + 1]))
        return stack.movedim(1, self.axis + 1).contiguous()


def _stored(values: Tensor, dtype: torch.dtype) -> Tensor:
    if dtype.is_floating_point:
        return values.to(dtype)
    if dtype == torch.bool:
        return values > 0.5
    limits = torch.iinfo(dtype)
    return rounded(values, limits.min, limits.max).to(dtype)
