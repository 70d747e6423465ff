"""The guard: what would fold is made smaller in velocity, before it is exponentiated.

A cell without certificate names points; the points are followed through every flow of the map,
and each velocity is damped softly along their paths, until every cell is certified.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional

from src_core.diffusion.flow import Flow
from src_core.diffusion.grids import crop
from src_core.fields.sampling import sample

__all__ = ["Check", "Guarded", "guard"]

#: Positions (1, D, N) in state voxels where a displacement (1, D, *state) has no certificate.
Check = Callable[[Tensor], Tensor]

_REACH = 3.0
_DAMPING = 0.1
_ROUNDS = 16
_HALVINGS = 8
_SUBSTEPS = 8


@dataclass(frozen=True, eq=False)
class Guarded:
    """A flow whose map is certified, and how much of its velocity is left.

    Attributes:
        flow: the damped flow.
        displacement: its map, (1, D, *state), state voxels.
        scale: mean factor over the random velocity above the image; 1 = untouched.
    """

    flow: Flow
    displacement: Tensor
    scale: float


def guard(flow: Flow, check: Check, u: Tensor | None = None) -> Guarded:
    """Damp a flow until ``check`` finds nothing.

    Damping is local and grows round by round. Should it not suffice, the whole flow is scaled
    down by bisection, which ends because a scale of 0 is the identity. ``u`` is the flow's
    displacement where it is known.
    """
    masks = [torch.ones_like(w[:, :1]) for w in (flow.random, *flow.corrections)]
    damped, u = flow, flow.displacement() if u is None else u
    for number in range(_ROUNDS):
        points = check(u)
        if points.shape[-1] == 0:
            return Guarded(damped, u, _mean_over_image(masks[0]))
        strength = min(_DAMPING * 1.25 ** max(number - 4, 0), 0.5)
        paths = _paths(damped, points)
        masks = [m * (1 - strength * p) for m, p in zip(masks, paths, strict=True)]
        damped = _apply(flow, masks)
        u = damped.displacement()
    return _shrink(damped, masks[0], check)


def _shrink(flow: Flow, mask: Tensor, check: Check) -> Guarded:
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if check(flow.scaled(middle).displacement()).shape[-1]:
            high = middle
        else:
            low = middle
    shrunk = flow.scaled(low)
    return Guarded(shrunk, shrunk.displacement(), low * _mean_over_image(mask))


def _apply(flow: Flow, masks: list[Tensor]) -> Flow:
    corrections = tuple(w * m for w, m in zip(flow.corrections, masks[1:], strict=True))
    return replace(flow, random=flow.random * masks[0], corrections=corrections)


def _mean_over_image(mask: Tensor) -> float:
    return float(crop(mask).mean())


def _paths(flow: Flow, points: Tensor) -> list[Tensor]:
    """Soft indicators (1, 1, *grid), 0..1, of where the points pass through each flow."""
    shape = [1, points.shape[1], points.shape[2]] + [1] * (points.shape[1] - 1)
    position, found = points.reshape(shape), []
    for velocity in reversed(flow.corrections):
        position, density = _follow(velocity, position)
        found.append(density)
    ratio = flow.random.shape[-1] / (2 * flow.state)
    start = (position + 0.5) * ratio - 0.5 + flow.random.shape[-1] // 4
    _, density = _follow(flow.random, start)
    return [density, *reversed(found)]


def _follow(velocity: Tensor, position: Tensor) -> tuple[Tensor, Tensor]:
    """Carry positions through a stationary velocity by midpoint steps, marking where they pass."""
    size = velocity.shape[-1]
    mark = torch.zeros_like(velocity[:, :1])
    flat = mark.view(-1)
    weights = torch.tensor([size**i for i in reversed(range(velocity.shape[1]))])
    for step in range(_SUBSTEPS + 1):
        index = position.flatten(2)[0].round().long().clamp(0, size - 1)
        flat[(index * weights[:, None]).sum(0)] = 1.0
        if step < _SUBSTEPS:
            half = position + sample(velocity, position) / (2 * _SUBSTEPS)
            position = position + sample(velocity, half) / _SUBSTEPS
    return position, _spread(mark)


def _spread(mark: Tensor) -> Tensor:
    """Gaussian reach around marked voxels, its largest value 1, flattened by a square root."""
    radius = int(3 * _REACH)
    line = torch.arange(-radius, radius + 1, dtype=mark.dtype)
    kernel = torch.exp(-(line**2) / (2 * _REACH**2))
    conv = {2: functional.conv2d, 3: functional.conv3d}[mark.dim() - 2]
    for axis in range(2, mark.dim()):
        shape = [1] * mark.dim()
        shape[axis] = len(kernel)
        pad = [radius if a == axis else 0 for a in range(2, mark.dim())]
        mark = conv(mark, kernel.view(shape), padding=pad)
    return (mark / mark.amax().clamp_min(torch.finfo(mark.dtype).tiny)).clamp(0, 1).sqrt()
