"""A generated map as a product of flows: ``phi = exp(w_0) o exp(w_1) o ... o exp(w_k)``.

w_0 is the random velocity times tau on the enlarged grid, the others are the recovery's. Keeping
the velocities is what lets a guard act before anything is exponentiated.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from torch import Tensor

from src_core.fields import compose, enlarge, exponential, squarings_for

__all__ = ["Flow", "correction_ddf"]


@dataclass(frozen=True, eq=False)
class Flow:
    """Velocities of one map, one item.

    Attributes:
        random: (1, D, *enlarged), in voxels of the enlarged grid, integrated over unit time.
        corrections: (1, D, *state) each, state voxels, in the order of recovery.
        state: voxels per side of the state grid, on which everything is composed.
        integrate: the random velocity's map over the image, (1, D, *any), voxels of that grid.
    """

    random: Tensor
    corrections: tuple[Tensor, ...]
    state: int
    integrate: Callable[[Tensor], Tensor]

    def start(self) -> Tensor:
        """The random DDF over the image: (1, D, *state), state voxels."""
        u = self.integrate(self.random)
        factor = self.state // u.shape[-1]
        return enlarge(u, factor) if factor > 1 else u

    def displacement(self) -> Tensor:
        """The DDF of the whole product: (1, D, *state), state voxels."""
        u = self.start()
        for velocity in self.corrections:
            u = compose(u, correction_ddf(velocity))
        return u

    def followed_by(self, velocity: Tensor) -> Flow:
        """The flow with one more correction."""
        return replace(self, corrections=(*self.corrections, velocity))

    def scaled(self, factor: float) -> Flow:
        """Every velocity times a factor: 0 is the identity."""
        corrections = tuple(w * factor for w in self.corrections)
        return replace(self, random=self.random * factor, corrections=corrections)


def correction_ddf(velocity: Tensor) -> Tensor:
    """``exp(w)`` of one recovery step, with as many squarings as its length needs."""
    return exponential(velocity, squarings_for(velocity))
