"""The steps of one run: its state at any step, and between steps by a share of the velocity.

Between steps k and k + 1 the map is ``phi_k o exp(f w)``, f from 0 to 1, where w is the velocity of
the next correction: a path of diffeomorphisms, not a blend of two fields.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from src_core.diffusion.flow import correction_ddf
from src_core.fields import compose, jacobian_determinant
from src_core.generation.model_view import ModelView
from src_core.generation.recovery import RecoveryStep
from src_core.models.device import fixed_threads

__all__ = ["Trajectory", "TrajectoryPoint"]


@dataclass(frozen=True)
class TrajectoryPoint:
    """The numbers of one moment.

    Attributes:
        position: 0 is the random field.
        max_mm: largest displacement in the image.
        min_det: smallest Jacobian determinant there, by central differences on the state grid.
        remaining_mm: largest displacement that the rest of the recovery adds; None where the
            run was cancelled before its end.
    """

    position: float
    max_mm: float
    min_det: float
    remaining_mm: float | None


class Trajectory:
    """A run, finished or not.

    Args:
        view: of its case.
        slabs: the steps of every slab, 0 being the random field; slabs without steps yet do
            not move.
    """

    def __init__(self, view: ModelView, slabs: Sequence[Sequence[RecoveryStep]]) -> None:
        self.view = view
        self._slabs = [list(steps) for steps in slabs]

    @property
    def total(self) -> int:
        """Steps of the recovery that there are."""
        return len(self._slabs[0]) - 1 if self._slabs else 0

    @property
    def planned(self) -> int:
        """Steps of the recovery that there should be."""
        return self._slabs[0][0].total if self._slabs else 0

    @property
    def whole(self) -> bool:
        """Whether no slab was left before its end."""
        there = self.view.slabs if self._slabs else 0
        return len(self._slabs) == there and all(u[-1].index == u[-1].total for u in self._slabs)

    @property
    def last_steps(self) -> list[RecoveryStep]:
        """The last step of every slab."""
        return [steps[-1] for steps in self._slabs]

    @property
    def nbytes(self) -> int:
        """Memory held."""
        return sum(s.displacement.nbytes for steps in self._slabs for s in steps) + sum(
            w.nbytes for last in self.last_steps for w in (last.flow.random, *last.flow.corrections)
        )

    @torch.inference_mode()
    def at(self, position: float) -> Tensor:
        """The displacement at a moment, 0 to ``total``: (slabs, D, *state), state voxels."""
        with fixed_threads():
            known = [_at(steps, position) for steps in self._slabs]
            still = [torch.zeros_like(known[0])] * (self.view.slabs - len(known))
            return torch.cat([*known, *still])

    @torch.inference_mode()
    def numbers(self, position: float) -> TrajectoryPoint:
        """A moment in numbers; a run without steps leaves everything where it is."""
        if not self._slabs:
            return TrajectoryPoint(position, 0.0, 1.0, 0.0)
        u, end = self.at(position), self.at(self.total)
        mm = self.view.fit.mm_per_pixel * self.view.fit.size / u.shape[-1]
        inside = self.view.fit.inside(u.shape[-1])
        return TrajectoryPoint(
            position,
            mm * _longest(u, inside),
            float(jacobian_determinant(u)[:, inside].min()),
            mm * _longest(end - u, inside) if self.whole else None,
        )

    @cached_property
    def curve(self) -> tuple[TrajectoryPoint, ...]:
        """The numbers at every step."""
        return tuple(self.numbers(k) for k in range(self.total + 1))


def _at(steps: Sequence[RecoveryStep], position: float) -> Tensor:
    position = min(max(position, 0.0), len(steps) - 1)
    index = int(position)
    u, share = steps[index].displacement, position - index
    if share == 0:
        return u
    velocity = steps[-1].flow.corrections[index]
    return compose(u, correction_ddf(velocity * share))


def _longest(u: Tensor, inside: Tensor) -> float:
    return float(torch.linalg.vector_norm(u, dim=1)[:, inside].max())
