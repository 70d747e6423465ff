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

__all__ = ["ExtendedField", "ImagePart", "PartwiseField", "Reach", "extend", "nearby", "survey"]

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
        least, most: of the displacement along the axis that is cut, if it is.
        folds: whether the map folds somewhere outside the image.
    """

    low: tuple[int, ...]
    high: tuple[int, ...]
    least: float
    most: float
    folds: bool


@dataclass(frozen=True, eq=False)
class ImagePart:
    """A part of a field that holds the preimages of some voxels, as far as they lie in the image.

    Attributes:
        u: (D, *piece), float64, voxels.
        origin: the image's voxel at which the piece begins.
        shape: of the image.
        tried: voxels of the extended image near which preimages may lie, a range per axis.
        targets: voxels of the image to find preimages of, a range per axis.
    """

    u: Tensor
    origin: tuple[int, ...]
    shape: tuple[int, ...]
    tried: tuple[range, ...]
    targets: tuple[range, ...]


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
    least, most, folds = math.inf, -math.inf, False
    for cut in cuts:
        whole = source.read(cut.start, min(cut.stop + 1, n))
        ends = [(True, True)] * ndim
        ends[source.along] = (cut.start == 0, cut.stop == n)
        folds = folds or _folds_outside(whole, ends)
        u = whole.narrow(source.along + 1, 0, cut.stop - cut.start)
        for axis in range(ndim):
            if axis != source.along or cut.start == 0:
                first[axis] = max(first[axis], float(u[axis].select(axis, 0).max()))
            if axis != source.along or cut.stop == n:
                last[axis] = min(last[axis], float(u[axis].select(axis, -1).min()))
        if len(cuts) > 1:
            low, high = u[source.along].aminmax()
            least, most = min(least, float(low)), max(most, float(high))
    before = tuple(_layers(value, n) for value, n in zip(first, source.shape, strict=True))
    after = tuple(_layers(-value, n) for value, n in zip(last, source.shape, strict=True))
    return Reach(before, after, least, most, folds)


def nearby(source: PartwiseField, reach: Reach, cut: slice, slack: int) -> ImagePart:
    """What preimages of a part's voxels lie in, and ``slack`` voxels more along the cut axis."""
    along, n = source.along, source.shape[source.along]
    first, last = _layers_needed(source, reach, cut, slack)
    low, high = max(first, 0), min(last, n)
    ends = zip(reach.low, source.shape, reach.high, strict=True)
    tried = [range(-before, size + after) for before, size, after in ends]
    tried[along] = range(first, last)
    origin = [0] * len(source.shape)
    origin[along] = low
    inside = Reach((0,) * len(origin), (0,) * len(origin), reach.least, reach.most, reach.folds)
    whole = (low, high) == (0, n) and cut == slice(0, n)
    u = source.read(0, n) if whole else _padded(source, inside, low, high)
    return ImagePart(u, tuple(origin), source.shape, tuple(tried), _targets(source, cut))


def extend(source: PartwiseField, reach: Reach, cut: slice, slack: int) -> ExtendedField:
    """The same, with the borders repeated as far as preimages lie."""
    first, last = _layers_needed(source, reach, cut, slack)
    piece = _padded(source, reach, first, last)
    margin = torch.tensor(reach.low, dtype=piece.dtype)[:, None]
    origin = torch.zeros_like(margin)
    origin[source.along] = first + reach.low[source.along]
    sizes = zip(source.shape, reach.low, reach.high, strict=True)
    window = Window(origin, tuple(sum(each) for each in sizes))
    return ExtendedField(piece, window, margin, source.shape, _targets(source, cut))


def _layers_needed(source: PartwiseField, reach: Reach, cut: slice, slack: int) -> tuple[int, int]:
    """First and past-last layer of the extended image, counted in the image."""
    along, n = source.along, source.shape[source.along]
    first, last = -reach.low[along], n + reach.high[along]
    if cut != slice(0, n):
        # A target's start may be a voxel that is mapped near to the target's neighbour.
        first = max(first, math.floor(cut.start - reach.most) - slack - 2)
        last = min(last, math.ceil(cut.stop - reach.least) + slack + 3)
    return min(first, n - 1), max(last, 1)


def _targets(source: PartwiseField, cut: slice) -> tuple[range, ...]:
    targets = [range(size) for size in source.shape]
    targets[source.along] = targets[source.along][cut]
    return tuple(targets)


def _folds_outside(u: Tensor, ends: Sequence[tuple[bool, bool]]) -> bool:
    """Whether the map folds where u (D, *part) is continued over ends of its axes.

    Over an end nothing changes along its axis, so that the other components decide at the border.
    """
    for axis, both in enumerate(ends):
        others = [*ends[:axis], *ends[axis + 1 :]]
        for place, there in zip((0, -1), both, strict=True):
            face = u.select(axis + 1, place)
            border = torch.cat((face[:axis], face[axis + 1 :]))
            if there and (_folds(border) or (len(others) > 1 and _folds_outside(border, others))):
                return True
    return False


def _folds(u: Tensor) -> bool:
    """Whether a line (1, X) or a plane (2, X, Y) folds somewhere."""
    along = [u.diff(dim=axis + 1) for axis in range(len(u))]
    if len(u) == 1:
        return bool((along[0] <= -1).any())
    (a, b), low, high = along, slice(None, -1), slice(1, None)
    corners = [
        (a[0, :, j] + 1) * (b[1, i] + 1) - a[1, :, j] * b[0, i]
        for i in (low, high)
        for j in (low, high)
    ]
    return any(bool((corner <= 0).any()) for corner in corners)


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
