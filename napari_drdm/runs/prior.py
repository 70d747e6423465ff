"""What it takes from a finished run to other targets, by the prior alone: quick, not recovered."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from src_core.generation import Options, Session

__all__ = ["prior_answer"]

#: Corrections of one answer: points are met within a pixel by the second.
_ROUNDS = 2


def prior_answer(session: Session, options: Options, slab: int, u: Tensor) -> Tensor:
    """A map, followed by the smallest velocity of the prior after which targets are met.

    Args:
        session: the case and its model.
        options: with the targets.
        slab: of the case.
        u: (1, D, *state), state voxels, the map of that slab.

    Returns:
        Another such map.
    """
    import torch

    from src_core.diffusion.flow import correction_ddf
    from src_core.fields import compose
    from src_core.generation.steered import slab_search
    from src_core.models.device import fixed_threads
    from src_core.steering.prior import stacked

    with torch.inference_mode(), fixed_threads():
        draws, spec = session.draws(options, slab), session.model.spec
        search = slab_search(session.view, spec, options, slab, draws, None)
        if search is None:
            return u
        at, moved = u, tuple(torch.zeros_like(d[:1]) for d in draws)
        for _ in range(_ROUNDS):
            wanted = stacked(search.constraints(at))
            if not len(wanted.wanted) or float(wanted.missed.max()) <= 1:
                break
            moved = tuple(d + s for d, s in zip(moved, search.prior.step(wanted), strict=True))
            at = compose(u, correction_ddf(search.prior.velocity(moved)))
        return at
