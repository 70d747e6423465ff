"""Inverse of ``phi(x) = x + u(x)``: psi(y) = y + w(y) with phi(psi(y)) = y, exact to a tolerance.

phi is multilinear on each cell. Outside the image u is continued by its border value (the stated
extension), which reaches every y. Each voxel y is first placed in the cell whose image covers it,
by going through the cells; Newton's method then finds the point.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from src_core.fields.candidates import candidates, centres
from src_core.fields.cells import require_field
from src_core.fields.extended import ExtendedField, PartwiseField, extend, survey
from src_core.fields.newton import LeftWindowError, newton, residuals

__all__ = ["Inverse", "invert", "invert_parts"]

_ITERATIONS = 40
_TOLERANCE = 1e-4
_POINTS_AT_ONCE = 2**16
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
    parts = (torch.stack([solved[i][part] for i in which]).to(u.device) for part in range(3))
    return Inverse(*parts)


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
        slack = _SLACK
        while True:
            field = extend(source, reach, cut, slack)
            try:
                found = _solve(field, _ITERATIONS, _TOLERANCE, torch.float64)
                break
            except LeftWindowError:
                slack = 4 * (slack + 1)
        yield Inverse(*(part[None] for part in found))


def _invert_one(u: Tensor, iterations: int, tolerance: float) -> tuple[Tensor, Tensor, Tensor]:
    """One batch item (D, *spatial) -> displacement, error, inside."""
    double, whole = u.double(), slice(0, u.shape[1])
    source = PartwiseField(lambda first, last: double[:, first:last], tuple(u.shape[1:]), 0)
    field = extend(source, survey(source, [whole]), whole, 0)
    return _solve(field, iterations, tolerance, u.dtype)


def _solve(
    field: ExtendedField, iterations: int, tolerance: float, dtype: torch.dtype
) -> tuple[Tensor, Tensor, Tensor]:
    """Displacement (D, *count), error and inside (*count) of the targets."""
    targets, window = field.places(), None if field.whole else field.window
    found, error = newton(field.u, _start(field, targets), targets, iterations, tolerance, window)
    if bool((error > tolerance).any()):
        found = _second_try(field, targets, found, error, iterations, tolerance)
    moved = (found - targets).to(dtype)
    at = targets + moved
    error = residuals(field.u, at, targets, window).to(dtype)
    place = at - field.margin
    last = torch.tensor(field.shape)[:, None] - 1
    inside = ((place >= -tolerance) & (place <= last + tolerance)).all(dim=0)
    return moved.view(-1, *field.count), error.view(field.count), inside.view(field.count)


def _start(field: ExtendedField, targets: Tensor) -> Tensor:
    """Centres of the cells that cover the targets; the target itself if its cell is too far out."""
    cells = _covering(field).split(_POINTS_AT_ONCE)
    return torch.cat(
        [
            torch.where(cell < 0, some, centres(cell.clamp(min=0), field))
            for cell, some in zip(cells, targets.split(_POINTS_AT_ONCE, 1), strict=True)
        ],
        1,
    )


def _covering(field: ExtendedField) -> Tensor:
    """For each voxel the cell that most likely covers it: flat lowest corners, (n,), or -1."""
    best = torch.full((math.prod(field.count),), torch.inf, dtype=field.u.dtype)
    cell = torch.full(best.shape, -1, dtype=torch.int64)
    for voxel, candidate, rank in candidates(field):
        best.scatter_reduce_(0, voxel, rank, "amin")
        won = rank == best[voxel]
        cell.scatter_reduce_(0, voxel[won], candidate[won], "amax")
    return cell


def _second_try(
    field: ExtendedField,
    targets: Tensor,
    found: Tensor,
    error: Tensor,
    iterations: int,
    tolerance: float,
) -> Tensor:
    """Start the targets missed from every cell that may cover them: one does, but folds mislead."""
    missed, window = error > tolerance, None if field.whole else field.window
    for voxel, cell, _ in candidates(field):
        voxel, cell = voxel[missed[voxel]], cell[missed[voxel]]
        start = centres(cell, field)
        at, new = newton(field.u, start, targets[:, voxel], iterations, tolerance, window)
        best = error.scatter_reduce(0, voxel, new, "amin")
        won = ((new == best[voxel]) & (new < error[voxel])).nonzero()[:, 0]
        first = torch.full(error.shape, len(new)).scatter_reduce_(0, voxel[won], won, "amin")
        better = (first < len(new)).nonzero()[:, 0]
        found[:, better], error = at[:, first[better]], best
    return found
