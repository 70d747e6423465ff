"""Inverse of ``phi(x) = x + u(x)``: psi(y) = y + w(y) with phi(psi(y)) = y, exact to a tolerance.

phi is multilinear on each cell. Outside the image u is continued by its border value (the stated
extension), which reaches every y. Each voxel y is first placed in the cell whose image covers it,
by going through the cells; Newton's method then finds the point.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from src_core.fields.cells import (
    corners_of,
    flat_index,
    lowest_corners,
    multilinear,
    require_field,
    slabs,
)
from src_core.fields.newton import evaluate, length, newton, solve
from src_core.warp import identity

__all__ = ["Inverse", "invert"]

_CELLS_AT_ONCE = 2**16
_PAIRS_AT_ONCE = 2**17


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


@dataclass(frozen=True, eq=False)
class _Extended:
    """A field whose borders are repeated as far as preimages lie: u (D, *larger), voxels.

    Positions are counted in the larger grid; the image's first voxel is at ``margin`` (D, 1).
    """

    u: Tensor
    margin: Tensor
    shape: tuple[int, ...]


def invert(u: Tensor, iterations: int = 40, tolerance: float = 1e-4) -> Inverse:
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


def _invert_one(u: Tensor, iterations: int, tolerance: float) -> tuple[Tensor, Tensor, Tensor]:
    """One batch item (D, *spatial) -> displacement, error, inside."""
    field = _extend(u.double())
    targets = identity(field.shape, field.u)[0].flatten(1) + field.margin
    found, error = newton(field.u, _start(field, targets), targets, iterations, tolerance)
    if bool((error > tolerance).any()):
        found = _second_try(field, targets, found, error, iterations, tolerance)
    moved = (found - targets).to(u.dtype)
    at = targets + moved
    error = length(evaluate(field.u, at)[0] - targets).to(u.dtype)
    place = at - field.margin
    last = torch.tensor(field.shape)[:, None] - 1
    inside = ((place >= -tolerance) & (place <= last + tolerance)).all(dim=0)
    return moved.view_as(u), error.view(u.shape[1:]), inside.view(u.shape[1:])


def _extend(u: Tensor) -> _Extended:
    """Repeat the borders, by half the image at most.

    Below face 0 lies x = y - u with y >= 0, so that no preimage is further out than max(u) there.
    """
    low, high = [], []
    for axis, n in enumerate(u.shape[1:]):
        first, last = float(u[axis].select(axis, 0).max()), float(u[axis].select(axis, -1).min())
        low.append(math.ceil(min(max(first, 0), n / 2)) + 1)
        high.append(math.ceil(min(max(-last, 0), n / 2)) + 1)
    sides = [side for pair in zip(reversed(low), reversed(high), strict=True) for side in pair]
    larger = functional.pad(u[None], sides, mode="replicate")[0]
    return _Extended(larger, torch.tensor(low, dtype=u.dtype)[:, None], tuple(u.shape[1:]))


def _start(field: _Extended, targets: Tensor) -> Tensor:
    """Centres of the cells that cover the targets; the target itself if its cell is too far out."""
    cell = _covering(field)
    return torch.where(cell < 0, targets, _centres(cell.clamp(min=0), field))


def _covering(field: _Extended) -> Tensor:
    """For each voxel the cell that most likely covers it: flat lowest corners, (n,), or -1."""
    best = torch.full((math.prod(field.shape),), torch.inf, dtype=field.u.dtype)
    cell = torch.full(best.shape, -1, dtype=torch.int64)
    for voxel, candidate, rank in _candidates(field):
        best.scatter_reduce_(0, voxel, rank, "amin")
        won = rank == best[voxel]
        cell.scatter_reduce_(0, voxel[won], candidate[won], "amax")
    return cell


def _second_try(
    field: _Extended,
    targets: Tensor,
    found: Tensor,
    error: Tensor,
    iterations: int,
    tolerance: float,
) -> Tensor:
    """Start the targets missed from every cell that may cover them: one does, but folds mislead."""
    missed = error > tolerance
    for voxel, cell, _ in _candidates(field):
        voxel, cell = voxel[missed[voxel]], cell[missed[voxel]]
        start = _centres(cell, field)
        at, new = newton(field.u, start, targets[:, voxel], iterations, tolerance)
        best = error.scatter_reduce(0, voxel, new, "amin")
        won = ((new == best[voxel]) & (new < error[voxel])).nonzero()[:, 0]
        first = torch.full(error.shape, len(new)).scatter_reduce_(0, voxel[won], won, "amin")
        better = (first < len(new)).nonzero()[:, 0]
        found[:, better], error = at[:, first[better]], best
    return found


def _candidates(field: _Extended) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Voxels and the cells whose image may cover them, some at a time.

    A cell's image lies in its corners' bounding box. The rank is how far from the cell's middle the
    voxel lies, in the cell's linearised coordinates; the image's own cells go first.

    Yields:
        Voxels (p,) and lowest corners (p,), flat int64, and ranks (p,), the smaller the likelier.
    """
    image = field.u + identity(field.u.shape[1:], field.u)[0]
    middle = torch.full((len(image), 1), 0.5, dtype=image.dtype)
    for lowest, low, extent in _boxes(image, field):
        centre, columns = multilinear(corners_of(image, lowest), middle)
        inverse = [solve(columns, e[:, None]) for e in torch.eye(len(image), dtype=image.dtype)]
        owner, place = _pairs(low, extent)
        away = place + field.margin - centre[:, owner]
        local = torch.zeros_like(away)
        for column, one in zip(inverse, away, strict=True):
            local += column[:, owner] * one
        rank = local.abs().amax(0) + _foreign(lowest, field)[owner]
        yield flat_index(place, field.shape), lowest[owner], rank


def _centres(lowest: Tensor, field: _Extended) -> Tensor:
    return torch.stack(torch.unravel_index(lowest, field.u.shape[1:])).to(field.u.dtype) + 0.5


def _boxes(image: Tensor, field: _Extended) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Cells whose image may cover voxels, some at a time and in order.

    Yields:
        Lowest corners (m,), and the boxes' first voxels and extents, (D, m) int64 each.
    """
    last = torch.tensor(field.shape)[:, None] - 1
    for layer, slab in slabs(image, _CELLS_AT_ONCE):
        low, high = slab, slab
        for axis in range(1, slab.dim()):
            n = slab.shape[axis] - 1
            low = torch.minimum(low.narrow(axis, 0, n), low.narrow(axis, 1, n))
            high = torch.maximum(high.narrow(axis, 0, n), high.narrow(axis, 1, n))
        first = (low.flatten(1) - field.margin).ceil().long().clamp(min=0)
        extent = (high.flatten(1) - field.margin).floor().long().minimum(last) - first + 1
        count = extent.clamp(min=0).prod(0)
        used = count.nonzero()[:, 0]
        group = count[used].cumsum(0) // _PAIRS_AT_ONCE
        for some in used.split(torch.bincount(group).tolist()):
            lowest = lowest_corners(some, slab.shape[1:]) + layer * image[0, 0].numel()
            yield lowest, first[:, some], extent[:, some]


def _foreign(lowest: Tensor, field: _Extended) -> Tensor:
    """What a cell's rank is burdened with: half a cell if it is none of the image's own, else 0."""
    place = torch.stack(torch.unravel_index(lowest, field.u.shape[1:])) - field.margin
    most = torch.tensor(field.shape)[:, None] - 2
    return ((place < 0) | (place > most)).any(dim=0) * 0.5


def _pairs(low: Tensor, extent: Tensor) -> tuple[Tensor, Tensor]:
    """All voxels of all boxes (D, m): which box each is of (p,), and where it lies (D, p)."""
    count = extent.prod(0)
    owner = torch.arange(len(count)).repeat_interleave(count)
    rest = torch.arange(len(owner)) - (count.cumsum(0) - count)[owner]
    place = low[:, owner]
    for axis in reversed(range(1, len(extent))):
        size = extent[axis, owner]
        place[axis] += rest % size
        rest = rest // size
    place[0] += rest
    return owner, place
