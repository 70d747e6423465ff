"""The certificate of a saved field, where it fails, and the guard that restores it."""

from __future__ import annotations

import torch
from torch import Tensor

from src_core.cases.tiles import parts
from src_core.diffusion.flow import Flow
from src_core.diffusion.guard import Guarded, guard
from src_core.fields import Certificate, cell_bounds, certify, combined
from src_core.generation.model_view import ModelView

__all__ = ["FLOOR", "GuardCheck", "guarded", "prove", "weak_points"]

#: Smallest determinant a certified field may have anywhere.
FLOOR = 0.01


def prove(saved: Tensor) -> Certificate:
    """One certificate for all slices of a saved field, (Z or 1, D, *plane), float64 voxels."""
    return combined(certify(saved, FLOOR))


def weak_points(view: ModelView, u: Tensor) -> Tensor:
    """Centres of the cells without certificate, in state voxels: (1, D, *state) -> (1, D, N)."""
    plane, found = view.plane, []
    for part in parts(plane, 0):
        last = min(part.stop + 1, plane[0])
        if last - part.start > 1:
            bounds = cell_bounds(view.saved_slab(u, slice(part.start, last)), FLOOR)[0]
            low = (bounds < FLOOR).nonzero()
            low[:, 0] += part.start
            found.append(low)
    centres = torch.cat(found).T[None].to(u.dtype) + 0.5
    return view.to_state(centres, u.shape[-1])


class GuardCheck:
    """The guard's check: the weak points of a displacement; the last answer is kept."""

    def __init__(self, view: ModelView) -> None:
        self.view = view
        self._last: tuple[Tensor, Tensor] | None = None

    def __call__(self, u: Tensor) -> Tensor:
        """``weak_points`` of a displacement (1, D, *state), state voxels."""
        if self._last is None or not torch.equal(self._last[0], u):
            self._last = u, weak_points(self.view, u)
        return self._last[1]

    def certifies(self, u: Tensor) -> bool:
        """Whether every cell of a displacement (1, D, *state) has its certificate."""
        return self(u).shape[-1] == 0


@torch.inference_mode()
def guarded(
    view: ModelView, flow: Flow, allow_folds: bool = False, u: Tensor | None = None
) -> Guarded:
    """What the guard leaves of a slab's flow; all of it where folds are allowed.

    ``u`` is the flow's displacement (1, D, *state), state voxels, where it is known.
    """
    if allow_folds:
        return Guarded(flow, flow.displacement() if u is None else u, 1.0)
    return guard(flow, GuardCheck(view), u)
