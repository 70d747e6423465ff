"""The prior of velocities: what random draws make of themselves, and the smallest draws that do.

A velocity of the prior is ``tau A eps``, eps the draws of a random field, independent with
variances S. Of all draws with a given effect, those of the smallest ``eps' S^-1 eps`` are likeliest
(Tarantola 2005, doi:10.1137/1.9780898717921, section 3.2).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from src_core.diffusion.grids import crop
from src_core.diffusion.random_field import Draws, RandomField

__all__ = ["Constraints", "Prior", "stacked"]


@dataclass(frozen=True, eq=False)
class Constraints:
    """Linear conditions on a velocity that is followed after a map.

    Attributes:
        gradients: (R, D, *state), change of each measured number by a velocity of one state voxel.
        wanted: (R,), the changes that are asked for.
        deviations: (R,), how exactly, in the same units.
    """

    gradients: Tensor
    wanted: Tensor
    deviations: Tensor

    @property
    def missed(self) -> Tensor:
        """How far each number is from what is asked, in deviations: (R,)."""
        return self.wanted.abs() / self.deviations

    def scaled(self, factor: float) -> Constraints:
        """The same with changes times a factor."""
        return replace(self, wanted=self.wanted * factor)


def stacked(each: Sequence[Constraints]) -> Constraints:
    """All constraints together."""
    return Constraints(
        torch.cat([c.gradients for c in each]),
        torch.cat([c.wanted for c in each]),
        torch.cat([c.deviations for c in each]),
    )


@dataclass(frozen=True, eq=False)
class Prior:
    """Velocities over the image, on the state grid, that a random field makes at a time.

    Attributes:
        field: the random field.
        time: the level's tau.
        like: draws, for their shapes.
    """

    field: RandomField
    time: float
    like: Draws

    def velocity(self, draws: Draws) -> Tensor:
        """The velocity of draws (B, ...): (B, D, *state), state voxels."""
        return crop(self.field.enlarged(self.field.velocity(draws))) * self.time

    def adjoint(self, gradients: Tensor) -> Draws:
        """From gradients with respect to a velocity (R, D, *state) to those of draws (R, ...)."""
        with torch.inference_mode(False), torch.enable_grad():
            rows = len(gradients)
            draws = tuple(torch.zeros(rows, *d.shape[1:], requires_grad=True) for d in self.like)
            velocity = self.velocity(draws)
            return torch.autograd.grad(velocity, draws, gradients.clone().to(velocity))

    def step(self, wanted: Constraints) -> Draws:
        """The smallest draws, (1, ...) each, whose velocity changes what is measured as asked."""
        rows = self.adjoint(wanted.gradients)
        variances = self.field.variances(self.like)
        matrix = torch.cat([r.flatten(1) for r in rows], 1).double()
        scale = torch.cat([v.flatten() for v in variances]).double()
        gram = (matrix * scale) @ matrix.T
        gram += torch.diag(wanted.deviations.double() ** 2)
        gram += 1e-9 * gram.diagonal().mean() * torch.eye(len(gram), dtype=gram.dtype)
        factors = torch.linalg.solve(gram, wanted.wanted.double())
        flat = (scale * (factors @ matrix)).to(self.like[0])
        parts = flat.split([d[0].numel() for d in self.like])
        return tuple(p.view_as(d[:1]) for p, d in zip(parts, self.like, strict=True))
