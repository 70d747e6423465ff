"""A field whose borders are repeated as far as preimages lie, all of it or around some voxels.

Points are counted in the extended field, whichever part of it is in memory: parts change no bit.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from src_core.fields.newton import Window
from src_core.fields.sampling import positions

__all__ = ["ExtendedField", "PartwiseField", "Reach", "extend", "survey"]

_AT_ONCE = 1 << 21


@dataclass(frozen=True, eq=False)
class PartwiseField:
    """A field that is read in parts along an axis.

    Attributes:
        read: first and past-last voxel along the axis -> (D, *part), float64, voxels.
        shape: of the whole.
        along: the axis, 0 to D - 1.
    """

    read: Callable[[int, int], Tensor]
    shape: tuple[int, ...]
    along: int


@dataclass(frozen=True)
class Reach:
    """How far preimages lie outside the image along each axis, and how far they lie away.

    Attributes:
        low, high: layers to repeat before the first and behind the last, per axis.
        least, most: of the displacement along the axis that is cut.
    """

    low: tuple[int, ...]
    high: tuple[int, ...]
    least: float
    most: float


@dataclass(frozen=True, eq=False)
class ExtendedField:
    """A part of the extended field, and the voxels of the image to find preimages of.

    Attributes:
        u: (D, *piece), voxels.
        window: where the piece lies in the extended field.
        margin: (D, 1), the image's first voxel in the extended field.
        shape: of the image.
        targets: voxels of the image, a range per axis.
    """

    u: Tensor
    window: Window
    margin: Tensor
    shape: tuple[int, ...]
    targets: tuple[range, ...]

    @property
    def count(self) -> tuple[int, ...]:
        """Voxels along each axis of the targets."""
        return tuple(map(len, self.targets))

    def places(self) -> Tensor:
        """The targets in the extended field: (D, n)."""
        return positions(self.targets, self.u)[0].flatten(1) + self.margin

    @property
    def whole(self) -> bool:
        """Whether the piece is all of the extended field."""
        return tuple(self.u.shape[1:]) == self.window.shape


def survey(source: PartwiseField, cuts: Sequence[slice]) -> Reach:
    """What has to be known of the whole field before a part is inverted.

    Below face 0 lies x = y - u with y >= 0, so that no preimage is further out than max(u) there.
    Borders are repeated by half the image at most.
    """
    ndim, n = len(source.shape), source.shape[source.along]
    first, last = [-math.inf] * ndim, [math.inf] * ndim
    least, most = math.inf, -math.inf
    for cut in cuts:
        u = source.read(cut.start, cut.stop)
        for axis in range(ndim):
            if axis != source.along or cut.start == 0:
                first[axis] = max(first[axis], float(u[axis].select(axis, 0).max()))
            if axis != source.along or cut.stop == n:
                last[axis] = min(last[axis], float(u[axis].select(axis, -1).min()))
        least = min(least, float(u[source.along].min()))
        most = max(most, float(u[source.along].max()))
    low = tuple(_layers(value, n) for value, n in zip(first, source.shape, strict=True))
    high = tuple(_layers(-value, n) for value, n in zip(last, source.shape, strict=True))
    return Reach(low, high, least, most)


def extend(source: PartwiseField, reach: Reach, cut: slice, slack: int) -> ExtendedField:
    """What preimages of a part's voxels lie in, and ``slack`` voxels more along the cut axis."""
    along, n = source.along, source.shape[source.along]
    first, last = -reach.low[along], n + reach.high[along]
    if cut != slice(0, n):
        first = max(first, math.floor(cut.start - reach.most) - slack)
        last = min(last, math.ceil(cut.stop - reach.least) + slack + 1)
    first, last = min(first, n - 1), max(last, 1)
    piece = _padded(source, reach, first, last)
    margin = torch.tensor(reach.low, dtype=piece.dtype)[:, None]
    origin = torch.zeros_like(margin)
    origin[along] = first + reach.low[along]
    sizes = zip(source.shape, reach.low, reach.high, strict=True)
    window = Window(origin, tuple(sum(each) for each in sizes))
    targets = [range(size) for size in source.shape]
    targets[along] = targets[along][cut]
    return ExtendedField(piece, window, margin, source.shape, tuple(targets))


def _padded(source: PartwiseField, reach: Reach, first: int, last: int) -> Tensor:
    """Layers of the extended field, counted in the image: (D, *piece), read some at a time."""
    along, n, ndim = source.along, source.shape[source.along], len(source.shape)
    low, high = max(first, 0), min(last, n)
    ends = list(zip(reach.low, reach.high, strict=True))
    ends[along] = (0, 0)
    sides = [e for pair in ends[::-1] for e in pair]
    sizes = [sum(each) for each in zip(source.shape, reach.low, reach.high, strict=True)]
    sizes[along] = last - first
    piece = torch.empty(ndim, *sizes, dtype=torch.float64)
    step = max(1, _AT_ONCE * n // math.prod(source.shape))
    for start in range(low, high, step):
        some = source.read(start, min(start + step, high))
        layers = piece.narrow(along + 1, start - first, some.shape[along + 1])
        layers.copy_(functional.pad(some[None], sides, mode="replicate")[0])
    if first < low:
        piece.narrow(along + 1, 0, low - first).copy_(piece.narrow(along + 1, low - first, 1))
    if last > high:
        end = piece.narrow(along + 1, high - first - 1, 1)
        piece.narrow(along + 1, high - first, last - high).copy_(end)
    return piece


def _layers(longest: float, n: int) -> int:
    return math.ceil(min(max(longest, 0), n / 2)) + 1
