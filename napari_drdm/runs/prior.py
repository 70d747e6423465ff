"""From a finished run to other targets, by the prior alone: quick, and not recovered.

``u o exp(w)``, w the smallest velocity of the prior after which the targets are met.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from src_core.generation import Options, Session
    from src_core.steering.kinds import PointTarget
    from src_core.steering.parts import SteeredPart
    from src_core.steering.prior import Constraints

__all__ = ["get_ready", "prior_answer"]

#: Corrections of one answer: points are met within a pixel by the second.
_ROUNDS = 2


def get_ready() -> Iterator[None]:
    """Do once what the first answer would wait for: torch imports a lot at its first gradient."""
    import torch

    one = torch.zeros(1, requires_grad=True)
    torch.autograd.grad(one.sum(), one)
    return iter(())


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
    from src_core.steering.kinds import PointTarget

    points = [target for target in options.targets if isinstance(target, PointTarget)]
    simple = session.view.shared and session.view.box is None
    if not simple or len(points) < len(options.targets):
        return session.prior_answer(options, slab, u)
    return _follow(session, options, points, u)


def _follow(session: Session, options: Options, points: Sequence[PointTarget], u: Tensor) -> Tensor:
    """The same for points alone, of one deformation for the whole case, which is not looked at."""
    import torch

    from src_core.diffusion.flow import correction_ddf
    from src_core.fields import compose
    from src_core.generation.steered_part import steered_part
    from src_core.models.device import fixed_threads
    from src_core.steering.prior import Prior, stacked

    with torch.inference_mode(), fixed_threads():
        spec, part = session.model.spec, steered_part(session.view, session.model.spec.state)
        draws = tuple(torch.zeros_like(d[:1]) for d in session.draws(options))
        prior = Prior(spec.random_field, spec.schedule.tau(options.level), draws)
        at = u
        for _ in range(_ROUNDS if points else 0):
            wanted = stacked([_point_constraints(part, point, at) for point in points])
            if float(wanted.missed.max()) <= 1:
                break
            draws = tuple(d + s for d, s in zip(draws, prior.step(wanted), strict=True))
            at = compose(u, correction_ddf(prior.velocity(draws)))
        return at


def _point_constraints(part: SteeredPart, point: PointTarget, u: Tensor) -> Constraints:
    """What it takes for the tissue at a point's end to come from its start, in state voxels."""
    import torch

    from src_core.fields.sampling import sample
    from src_core.steering.field_goals import gradient_at, point_weights
    from src_core.steering.goals import EXACTNESS
    from src_core.steering.prior import Constraints

    start, end = (part.state_of(part.voxel_of(place)) for place in (point.start, point.end))
    at = end.view(1, -1, *[1] * len(end))
    wanted = start - end - sample(u.double(), at)[0].flatten()
    weights = point_weights(end, u)
    gradients = torch.einsum("ij,...->ij...", gradient_at(u, end), weights)
    exact = EXACTNESS * point.tolerance.value / point.weight / part.mm
    return Constraints(gradients, wanted, torch.full_like(wanted, exact))
