"""Recovery (paper Algorithm 2) in steps: ``u <- compose(u, exp(-dtau v(I o phi_u, level)))``.

The same velocity serves every level, so a step may be of any size (as DDIM steps are): few large
steps replace the paper's one step per level, without retraining. The model's redundancy
multiplies dtau. Of each correction, the part that changes organs in size, orientation and position
can be left out: then new anatomies differ in these as the random field made them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import torch
from torch import Tensor

from src_core.diffusion.flow import Flow, correction_ddf
from src_core.diffusion.organ_shape import shape_corrections
from src_core.diffusion.organs import organ_part
from src_core.fields import compose, magnitude
from src_core.fields.moved import warp_enlarged
from src_core.fields.sampling import warp
from src_core.models.model import Model
from src_core.steering.search import SteeringCosts

__all__ = ["RecoveryStep", "Variety", "deformed_images", "recovery_steps"]

#: Changes of an organ's diameter, as logarithms, beyond which recovery takes them back. Chosen with
#: the others below on 10 validation patients: small organs are what a segmenter misses first.
_MOST_SHRINKAGE, _MOST_GROWTH = math.log(1.2), math.log(1.4)
#: Share of the shift of all organs that is left: a shift stretches what lies around them.
_SHIFT_LEFT = 0.75


@dataclass(frozen=True, eq=False)
class RecoveryStep:
    """The state after one step.

    Attributes:
        index: 0 is the random field, ``total`` the recovered one.
        total: steps of the run.
        level: the level it stands at; 0 = recovered.
        flow: the velocities so far.
        displacement: their map, (1, D, *state), state voxels.
        correction: largest length of the last correction, state voxels.
        costs: of the search for targets that ended here; None without one.
    """

    index: int
    total: int
    level: int
    flow: Flow
    displacement: Tensor
    correction: float
    costs: SteeringCosts | None = None


@dataclass(frozen=True, eq=False)
class Variety:
    """Organs whose size, orientation and position recovery leaves as they are.

    Attributes:
        share: of the corrections' organ part that is left out, 0 to 1.
        organs: (1, K, *state), 0 to 1, where the organs are in the undeformed image.
        factors: (M,) of the modes of organs; None for 1.
    """

    share: float
    organs: Tensor
    factors: Tensor | None = None

    def limited(self, u: Tensor) -> Variety:
        """The same, but of a size that the random field u changed too far, only a part is left.

        Each organ for itself: one that lies in another also follows that one's size.
        """
        ndim, axes = u.shape[1], tuple(range(2, u.dim()))
        sizes = [maps.sum(axes).clamp_min(1e-3) for maps in (self._carried(u), self.organs)]
        change = (sizes[0] / sizes[1]).log()[0] / ndim
        most = torch.where(change < 0, _MOST_SHRINKAGE, _MOST_GROWTH)
        left = (most / change.abs().maximum(most)).tolist()
        pose = [1.0] * (ndim * (ndim - 1) // 2) + [_SHIFT_LEFT] * ndim
        return replace(self, factors=torch.tensor([*left, *pose]))

    def kept(self, velocity: Tensor, u: Tensor) -> Tensor:
        """A correction (1, D, *state) for the image deformed by u, without its organ part."""
        return velocity - self.share * organ_part(velocity, self._carried(u), self.factors)

    def _carried(self, u: Tensor) -> Tensor:
        return warp(self.organs, u, padding="zeros")


@torch.inference_mode()
def recovery_steps(
    model: Model,
    images: Tensor,
    start: Flow,
    level: int,
    steps: int,
    fade: Tensor | None = None,
    condition: Sequence[float] | None = None,
    variety: Variety | None = None,
) -> Iterator[RecoveryStep]:
    """Recover a random field, step by step; the first value is the random field itself.

    Args:
        images: (N, 1, *size) in 0..1, that share the deformation.
        start: the flow of the random field.
        level: T', where the random field stands, 1 or more.
        steps: number of steps over the levels, at most ``level``.
        fade: (1, 1, *state), factors on every velocity; None for 1.
        condition: of the model, the same at every step; None for its defaults.
        variety: what is left out of the corrections; None for nothing.
    """
    schedule = model.spec.schedule
    levels = schedule.step_levels(level, steps)
    flow, u, total = start, start.displacement(), len(levels) - 1
    variety = None if variety is None else variety.limited(u)
    yield RecoveryStep(0, total, level, flow, u, 0.0)
    stretch = model.spec.recovery.stretch
    flow, u = _unstretched(flow, u, variety, stretch, fade)
    for index, (here, there) in enumerate(pairwise(levels), start=1):
        seen = deformed_images(model, images, u)
        time = schedule.tau(here) - schedule.tau(there)
        velocity = model.predict(seen, here, condition) * (time * model.spec.recovery.redundancy)
        velocity = velocity if variety is None else variety.kept(velocity, u)
        velocity = velocity if fade is None else velocity * fade
        flow = flow.followed_by(velocity)
        step = correction_ddf(velocity)
        u = compose(u, step)
        if index == total:
            flow, u = _unstretched(flow, u, variety, min(1.0, 2 * stretch), fade)
        longest = float(magnitude(step).max())
        yield RecoveryStep(index, total, there, flow, u, longest)


def _unstretched(
    flow: Flow, u: Tensor, variety: Variety | None, left: float, fade: Tensor | None
) -> tuple[Flow, Tensor]:
    """A flow and its map u (1, D, *state), followed by what takes back the stretch of organs."""
    if variety is not None and variety.share * (1 - left):
        share = variety.share * (1 - left)
        for velocity, after in shape_corrections(u, variety.organs, share, fade):
            flow, u = flow.followed_by(velocity), after
    return flow, u


def deformed_images(model: Model, images: Tensor, u: Tensor) -> Tensor:
    """The images deformed as the network sees them: (N, 1, *size), zero outside the image."""
    mode = model.spec.recovery.image_mode
    # as channels of one image: each position is computed once
    return warp_enlarged(images.movedim(0, 1), u, mode, "zeros").clamp_(0, 1).movedim(0, 1)
