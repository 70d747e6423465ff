"""Regions that stay still: every velocity is zero there, and grows smoothly around them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from src_core.fields.sampling import identity
from src_core.generation.model_view import ModelView
from src_core.steering.kinds import StillTarget, Target

__all__ = ["still_factors"]

#: State voxels around a region that do not move either, so that what lies between them does not.
_MARGIN = 1.0
#: Share of the model's grid over which the velocity grows from 0.
_RISE = 0.1


def still_factors(
    view: ModelView, targets: Sequence[Target], slab: int, enlarged: int, state: int
) -> tuple[Tensor, Tensor] | None:
    """Factors on the velocities of a slab: (1, 1, *enlarged) and (1, 1, *state), 0 to 1.

    None where nothing of the slab has to stay still. A deformation of all slices is still in a
    region of any of them.
    """
    boxes = [t for t in targets if isinstance(t, StillTarget) and _concerns(t, view, slab)]
    if not boxes:
        return None
    whole, inner = (_factor(view, boxes, size, span, state)
                    for size, span in ((enlarged, 2 * state), (state, state)))  # fmt: skip
    return whole, inner


def _concerns(target: StillTarget, view: ModelView, slab: int) -> bool:
    if view.axis is None or view.shared:
        return True
    low, high = target.region[view.axis]
    return low <= slab < high


def _factor(
    view: ModelView, boxes: Sequence[StillTarget], size: int, span: int, state: int
) -> Tensor:
    """On a grid of ``size`` voxels over ``span`` state voxels per side: (1, 1, *size)."""
    ndim = len(view.plane)
    axes = [a for a in range(3) if a != view.axis]
    # positions in state voxels, as view.to_state gives them
    at = (identity([size] * ndim, torch.zeros(1)) + 0.5) * (span / size) - 0.5 - (span - state) / 2
    factor = torch.ones(1, 1, *[size] * ndim)
    for box in boxes:
        # the voxels' outer edges
        edges = torch.tensor([box.region[a] for a in axes], dtype=torch.float64) - 0.5
        low, high = view.to_state(edges[None], state)[0].to(at).unbind(1)
        shape = (1, ndim, *[1] * ndim)
        below, above = low.view(shape) - at, at - high.view(shape)
        outside = torch.linalg.vector_norm(torch.maximum(below, above).clamp_min(0), dim=1)
        rise = ((outside - _MARGIN) / (_RISE * state)).clamp(0, 1)[None]
        factor = factor * (rise * rise * (3 - 2 * rise))
    return factor
