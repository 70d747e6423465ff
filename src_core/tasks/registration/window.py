"""Cases as input of a registration network: slices (2D) or volumes (3D) in one window.

The window is the centre of the model's grid, resampled to ``side`` voxels: a part of 1 is the whole
grid, a part of 0.5 its centre half at twice the resolution.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from src_core.datasets.reading import Entry
from src_core.evaluation.cases import read_in_grid
from src_core.fields.sampling import identity, sample
from src_core.models.model import ModelSpec

__all__ = ["InputWindow", "WindowedCase", "labelled_slabs", "read_windowed"]

_LEVELS = 255


@dataclass(frozen=True)
class InputWindow:
    """The part of the model's grid that is a network's input.

    Attributes:
        size: voxels on each side.
        part: of the model's grid along each axis, about its centre.
    """

    size: int
    part: float = 1.0

    @property
    def side(self) -> int:
        """Voxels on each side of the whole grid, with equal margins on both sides of the window."""
        side = round(self.size / self.part)
        return side + (side - self.size) % 2

    def cut(self, values: Tensor) -> Tensor:
        """The window of (..., *side), spatial axes last: all axes but the first two."""
        first = (self.side - self.size) // 2
        inner = slice(first, first + self.size)
        return values[(slice(None), slice(None), *[inner] * (values.dim() - 2))]

    def field(self, u: Tensor) -> Tensor:
        """A DDF (B, D, *state), state voxels, on the whole grid: (B, D, *side), its voxels."""
        state, side = u.shape[-1], self.side
        if state == side:
            return u
        at = (identity([side] * u.shape[1], u) + 0.5) * (state / side) - 0.5
        return sample(u, at.expand(len(u), *at.shape[1:])) * (side / state)


@dataclass(frozen=True, eq=False)
class WindowedCase:
    """A case in a window's grid.

    Attributes:
        name: of the case; ``subject`` the person it belongs to.
        images: (S, 1, *side), 0..255; a slab is a slice, or the volume.
        shares: (S, K, *size), 0..255, how much of each label; K = 0 without labels.
        mm_per_voxel: side of a voxel.
    """

    name: str
    subject: str
    images: NDArray[np.uint8]
    shares: NDArray[np.uint8]
    mm_per_voxel: float

    def image(self, slabs: Sequence[int], window: InputWindow) -> Tensor:
        """The window of some slabs: (B, 1, *size) in 0..1."""
        return window.cut(self.whole(slabs))

    def whole(self, slabs: Sequence[int]) -> Tensor:
        """The whole grid of some slabs: (B, 1, *side) in 0..1."""
        return torch.from_numpy(self.images[list(slabs)]).float() / _LEVELS

    def masks(self, slabs: Sequence[int]) -> Tensor:
        """Shares of labels of some slabs: (B, K, *size) in 0..1."""
        return torch.from_numpy(self.shares[list(slabs)]).float() / _LEVELS

    def labelled(self) -> list[int]:
        """Slabs that show a label."""
        return [u for u, share in enumerate(self.shares) if share.any()]


def read_windowed(
    entry: Entry, spec: ModelSpec, labels: Sequence[int], window: InputWindow, name: str = ""
) -> WindowedCase:
    """Read a case; of a cine its first frame.

    Raises:
        InputError: a file is no image, or does not fit the model.
    """
    view, label_stack = read_in_grid(entry, spec.model_copy(update={"size": window.side}))
    slabs = range(len(label_stack))
    images = torch.cat([view.fit.image(view.values[s][0]) for s in slabs]).clamp(0, 1)
    shares = images.new_zeros(len(slabs), 0, *[window.size] * spec.ndim)
    for value in labels:
        masks = [view.fit.image((label_stack[s] == value).astype(np.float32)) for s in slabs]
        shares = torch.cat([shares, window.cut(torch.cat(masks))], dim=1)
    return WindowedCase(
        name or entry.name, entry.subject, _bytes(images), _bytes(shares), view.fit.mm_per_pixel
    )


def labelled_slabs(label_stack: NDArray[np.integer]) -> list[int]:
    """Slabs of (S, *plane) with a label; all where there is none."""
    return [u for u, part in enumerate(label_stack) if part.any()] or list(range(len(label_stack)))


def _bytes(values: Tensor) -> NDArray[np.uint8]:
    return np.asarray((values * _LEVELS).round().to(torch.uint8).numpy())
