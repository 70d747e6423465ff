"""Eq. 14 for either kind of network.

The flows of one velocity commute, so a velocity's error is a plain difference. A displacement's is
what is left after it and the DVF that it has to undo: ``warp(pred, dvf) + dvf``.
"""

from __future__ import annotations

from typing import cast

from torch import Tensor, nn

from src_core.diffusion.kinds import random_field
from src_core.diffusion.random_field import generator, unit_velocities
from src_core.fields.sampling import warp
from src_core.models.nn.acnn import AcnnUNet, predict
from src_core.training import losses
from src_core.training.config import TrainConfig

__all__ = ["Displacement", "Loss", "Velocity", "make_objective"]

#: Determinants below it cost something where folding has a weight.
_MARGIN = 0.1

#: The mean over a batch, and distance, angle and gradient as they are shown.
Loss = tuple[Tensor, tuple[Tensor, Tensor, Tensor]]


class Velocity(nn.Module):
    """Predictions are velocities in units of their standard deviation, on the control grid.

    Attributes:
        energy, slope: mean square of a full target, and of its differences.
        unit: voxels of a prediction of 1.
    """

    def __init__(self, config: TrainConfig, network: nn.Module) -> None:
        super().__init__()
        self.config, self.network = config, network
        self.energy, self.slope = _reference(config)
        self.unit = random_field(config.schedule).unit

    def forward(self, images: Tensor, levels: Tensor) -> Tensor:
        """The prediction for images (B, 1, *size) in 0..1 at levels (B,)."""
        return cast(Tensor, self.network(images, levels))

    def loss(self, prediction: Tensor, target: Tensor, taught: Tensor | None = None) -> Loss:
        """Eq. 14, and the distance to what a teacher says."""
        return self._loss(prediction, prediction - target, prediction, target, taught)

    def _loss(
        self,
        prediction: Tensor,
        error: Tensor,
        moved: Tensor,
        wanted: Tensor,
        taught: Tensor | None,
    ) -> Loss:
        weights, tail = self.config.weights, self.config.weights.tail
        floor = weights.floor**2
        energy = wanted.square().flatten(1).mean(1)
        relative = energy + floor * self.energy
        strong = energy > floor * self.energy
        distance = error.square().flatten(1).mean(1) / relative
        slope = losses.gradient(error) / (losses.gradient(wanted) + floor * self.slope)
        turn = losses.angle(moved, wanted, floor=0.1 * self.energy**0.5) * strong
        total = weights.distance * losses.tempered(distance, tail) + weights.angle * turn
        total = total + weights.gradient * losses.tempered(slope, tail)
        if weights.smoothness:
            total = total + weights.smoothness * losses.smoothness(prediction)
        if weights.folding:
            u = prediction * self.unit
            total = total + weights.folding * losses.folding(u, margin=_MARGIN)
        if taught is not None:
            apart = (prediction - taught).square().flatten(1).mean(1) / relative
            pull = self.config.distillation.weight * losses.tempered(apart, tail)
            total = total + pull * strong
        shown = (_pooled(term.detach(), energy) for term in (distance, turn, slope))
        return total.mean(), cast(tuple[Tensor, Tensor, Tensor], tuple(shown))


class Displacement(Velocity):
    """Predictions are displacements in voxels of the model's grid, or of a window of it."""

    def __init__(self, config: TrainConfig, network: nn.Module) -> None:
        super().__init__(config, network)
        voxels = 2 * config.size / config.schedule.control
        self.energy *= (self.unit * voxels) ** 2
        self.slope *= self.unit**2
        self.unit = 1.0

    def forward(self, images: Tensor, levels: Tensor) -> Tensor:
        """All passes of the network: (B, D, *window), voxels."""
        rows = (levels - 1).clamp_min(0)
        return predict(cast(AcnnUNet, self.network), images, rows, side=self.config.size)

    def loss(self, prediction: Tensor, target: Tensor, taught: Tensor | None = None) -> Loss:
        """Eq. 14 after the DVF that the prediction has to undo."""
        moved = warp(prediction, target)
        return self._loss(prediction, moved + target, moved, -target, taught)


def make_objective(config: TrainConfig, network: nn.Module) -> Velocity:
    """The objective of a config's kind of network."""
    return (Displacement if config.network.kind == "acnn" else Velocity)(config, network)


def _pooled(terms: Tensor, energy: Tensor) -> Tensor:
    """Mean over the samples, weighed by their energy: undeformed ones have no relative error."""
    return (terms * energy).sum() / energy.sum().clamp_min(1e-12)


def _reference(config: TrainConfig) -> tuple[float, float]:
    """Mean square of a target and of its differences: what makes the losses relative.

    A field that is the same everywhere has no differences; its energy takes their place.
    """
    field, ndim = random_field(config.schedule), config.network.ndim
    targets = unit_velocities(field, ndim, 64 if ndim == 2 else 4, generator(0))
    energy, slope = float(targets.square().mean()), float(losses.gradient(targets).mean())
    return energy, slope or energy
