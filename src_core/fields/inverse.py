"""Inverse of ``phi(x) = x + u(x)``: psi(y) = y + w(y) with phi(psi(y)) = y, exact to a tolerance.

phi is multilinear on each cell. Outside the image u is continued by its border value (the stated
extension), which reaches every y. Newton's method starts from the voxel that phi maps nearest to y;
where it finds no point, from the cells whose images may cover y.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from src_core.fields.cells import require_field
from src_core.fields.extended import ImagePart, PartwiseField, Reach, extend, nearby, survey
from src_core.fields.kernels.inverse import can_invert, invert_from_nodes
from src_core.fields.newton import LeftWindowError
from src_core.fields.search import searched

__all__ = ["Inverse", "invert", "invert_parts"]

_ITERATIONS = 40
_TOLERANCE = 1e-4
#: Voxels by which Newton's method may at first leave the region of the preimages.
_SLACK = 8


@dataclass(frozen=True, eq=False)
class Inverse:
    """An inverse displacement and how well it inverts.

    Attributes:
        displacement: (B, D, *spatial), voxels: w of psi(y) = y + w(y).
        error_voxels: (B, *spatial), |phi(psi(y)) - y| of the displacement as it is given here.
        inside: (B, *spatial) bool, whether psi(y) lies in the image, where u is data.
    """

    displacement: Tensor
    error_voxels: Tensor
    inside: Tensor

    @property
    def outside_share(self) -> float:
        """Share of the voxels that come from the extension, 0 to 1."""
        return 1 - float(self.inside.double().mean())


def invert(u: Tensor, iterations: int = _ITERATIONS, tolerance: float = _TOLERANCE) -> Inverse:
    """Invert a map voxel by voxel, in float64 on the CPU; equal batch items are solved once.

    Args:
        u: (B, D, *spatial), D = 2 or 3, voxels.
        iterations: evaluations a voxel may take.
        tolerance: voxels; a voxel with a smaller error is left as it is.

    Returns:
        Tensors of u's type and device. Where u has a certificate, errors are within the tolerance
        and the rounding of that type; where it folds, the best point found is given.

    Raises:
        ArgumentError: u is not such a field, has a one-voxel axis or is not finite.
    """
    require_field("invert", u)
    kept: list[Tensor] = []
    solved: list[tuple[Tensor, Tensor, Tensor]] = []
    which = []
    for one in u.detach().cpu():
        equal = next((i for i, other in enumerate(kept) if torch.equal(one, other)), len(kept))
        if equal == len(kept):
            kept.append(one)
            solved.append(_invert_one(one, iterations, tolerance))
        which.append(equal)
    parts = ([solved[i][part] for i in which] for part in range(3))
    stacked = (part[0][None] if len(part) == 1 else torch.stack(part) for part in parts)
    return Inverse(*(part.to(u.device) for part in stacked))


def invert_parts(source: PartwiseField, cuts: Sequence[slice]) -> Iterator[Inverse]:
    """What ``invert`` gives of one float64 field, for parts of its voxels along an axis.

    A part is solved with as much of the field as its preimages lie in, and a little more; should
    the search leave that, with still more. The bits are those of the whole at once.

    Args:
        source: the field.
        cuts: ranges of voxels along its axis that make the whole.
    """
    reach = survey(source, cuts)
    for cut in cuts:
        found = _solved(source, reach, cut, _Limits(_ITERATIONS, _TOLERANCE, torch.float64))
        yield Inverse(*(part[None] for part in found))


@dataclass(frozen=True)
class _Limits:
    iterations: int
    tolerance: float
    dtype: torch.dtype


def _invert_one(u: Tensor, iterations: int, tolerance: float) -> tuple[Tensor, Tensor, Tensor]:
    """One batch item (D, *spatial) -> displacement, error, inside."""
    double, whole = u.double(), slice(0, u.shape[1])
    source = PartwiseField(lambda first, last: double[:, first:last], tuple(u.shape[1:]), 0)
    limits = _Limits(iterations, tolerance, u.dtype)
    return _solved(source, survey(source, [whole]), whole, limits)


def _solved(
    source: PartwiseField, reach: Reach, cut: slice, limits: _Limits
) -> tuple[Tensor, Tensor, Tensor]:
    """Displacement (D, *count), error and inside (*count) of a part's voxels."""
    slack = _SLACK
    while True:
        try:
            return _solved_within(source, reach, cut, slack, limits)
        except LeftWindowError:
            slack = 4 * (slack + 1)


def _solved_within(
    source: PartwiseField, reach: Reach, cut: slice, slack: int, limits: _Limits
) -> tuple[Tensor, Tensor, Tensor]:
    """The same by a piece of the field; ``LeftWindowError`` if it holds too little."""
    part = nearby(source, reach, cut, slack)
    moved, error, inside = _quick(part, limits)
    wanted = ~(error.flatten() <= limits.tolerance)
    if reach.folds:
        wanted |= ~inside.flatten()
    which = wanted.nonzero()[:, 0]
    if len(which):
        field = extend(source, reach, cut, slack)
        new = searched(field, which, limits.iterations, limits.tolerance, limits.dtype)
        old = (moved.flatten(1)[:, which], error.flatten()[which], inside.flatten()[which])
        within = (new[1] <= limits.tolerance) & new[2] & ~old[2]
        better = (new[1] < old[1]) & ~(old[1] <= limits.tolerance) | within
        for whole, values in zip((moved, error, inside), new, strict=True):
            flat = whole.view(-1, error.numel())
            flat[:, which[better]] = values.view(len(flat), -1)[:, better]
    return moved, error, inside


def _quick(part: ImagePart, limits: _Limits) -> tuple[Tensor, Tensor, Tensor]:
    """By Newton's method from the voxels that are mapped nearest; no point without the loops."""
    if not can_invert(len(part.shape)):
        count = [len(r) for r in part.targets]
        moved = torch.zeros(len(count), *count, dtype=limits.dtype)
        error = torch.full(count, torch.inf, dtype=limits.dtype)
        return moved, error, torch.zeros(count, dtype=torch.bool)
    single = limits.dtype == torch.float32
    places = (part.u, part.shape, part.origin, part.tried, part.targets)
    *found, left = invert_from_nodes(*places, limits.iterations, limits.tolerance, single)
    if left:
        raise LeftWindowError
    moved, error, inside = found
    return moved.to(limits.dtype), error.to(limits.dtype), inside
