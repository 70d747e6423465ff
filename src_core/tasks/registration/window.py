"""Cases as a registration network sees them: slices (2D) or volumes (3D) in a window of one size.

The window is the centre of the model's grid, laid over the image at ``side`` voxels: a part of 1
is all of it, of 0.5 the centre half at twice the resolution.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from src_core.datasets.reading import Entry
from src_core.evaluation.subjects import framed
from src_core.fields.sampling import identity, sample
from src_core.models.model import ModelSpec

__all__ = ["Laid", "Window", "labelled_units", "lay"]

_LEVELS = 255


@dataclass(frozen=True)
class Window:
    """What a network sees.

    Attributes:
        size: voxels a side.
        part: of the model's grid along each axis, about its centre.
    """

    size: int
    part: float = 1.0

    @property
    def side(self) -> int:
        """Voxels a side of the whole grid; as many lie before the window as behind it."""
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
class Laid:
    """A case in a window's grid.

    Attributes:
        name: of the case; ``subject`` of whom it is.
        images: (U, 1, *side), 0..255; a unit is a slice, or the volume.
        shares: (U, K, *size), 0..255, how much of each label; K = 0 without labels.
        mm_per_voxel: side of a voxel.
    """

    name: str
    subject: str
    images: NDArray[np.uint8]
    shares: NDArray[np.uint8]
    mm_per_voxel: float

    def image(self, units: Sequence[int], window: Window) -> Tensor:
        """What the network sees of some units: (B, 1, *size) in 0..1."""
        return window.cut(self.whole(units))

    def whole(self, units: Sequence[int]) -> Tensor:
        """The whole grid of some units: (B, 1, *side) in 0..1."""
        return torch.from_numpy(self.images[list(units)]).float() / _LEVELS

    def masks(self, units: Sequence[int]) -> Tensor:
        """Shares of labels of some units: (B, K, *size) in 0..1."""
        return torch.from_numpy(self.shares[list(units)]).float() / _LEVELS

    def labelled(self) -> list[int]:
        """Units that show a label."""
        return [u for u, share in enumerate(self.shares) if share.any()]

    def without_shares(self) -> Laid:
        """The same for training, where labels have served their turn."""
        return replace(self, shares=self.shares[:, :0])


def lay(
    entry: Entry, spec: ModelSpec, labels: Sequence[int], window: Window, name: str = ""
) -> Laid:
    """Read a case; of a cine its first frame.

    Raises:
        InputError: a file is no image, or does not fit the model.
    """
    view, marked = framed(entry, spec.model_copy(update={"size": window.side}))
    units = range(len(marked))
    images = torch.cat([view.fit.image(view.values[u][0]) for u in units]).clamp(0, 1)
    shares = images.new_zeros(len(units), 0, *[window.size] * spec.ndim)
    for value in labels:
        there = [view.fit.image((marked[u] == value).astype(np.float32)) for u in units]
        shares = torch.cat([shares, window.cut(torch.cat(there))], dim=1)
    return Laid(
        name or entry.name, entry.subject, _bytes(images), _bytes(shares), view.fit.mm_per_pixel
    )


def labelled_units(marked: NDArray[np.integer]) -> list[int]:
    """Units of (U, *plane) with a label; all where there is none."""
    return [u for u, part in enumerate(marked) if part.any()] or list(range(len(marked)))


def _bytes(values: Tensor) -> NDArray[np.uint8]:
    return np.asarray((values * _LEVELS).round().to(torch.uint8).numpy())
