"""Eq. 14 for every kind of network, relative to each sample's own target."""

from __future__ import annotations

from typing import cast

from torch import Tensor, nn

from src_core.diffusion.kinds import random_field
from src_core.diffusion.random_field import generator, unit_velocities
from src_core.models.prediction import network_kind
from src_core.training import losses
from src_core.training.config import TrainConfig

__all__ = ["Loss", "Objective"]

#: Determinants below it cost something where folding has a weight.
_MARGIN = 0.1

#: The mean over a batch, and distance, angle and gradient as they are shown.
Loss = tuple[Tensor, tuple[Tensor, Tensor, Tensor]]


class Objective(nn.Module):
    """A network's output and what it costs.

    Attributes:
        energy, slope: mean square of a full target, and of its differences.
        voxels: that an output of 1 moves.
    """

    def __init__(self, config: TrainConfig, network: nn.Module) -> None:
        super().__init__()
        self.config, self.network = config, network
        self.kind = network_kind(config.network)
        scale = self.kind.scale(config)
        energy, slope = _reference(config)
        self.energy, self.slope = energy * scale.energy, slope * scale.slope
        self.voxels = scale.voxels

    def forward(
        self, images: Tensor, levels: Tensor, condition: Tensor | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """The output for images (B, 1, *size) in 0..1 at levels (B,) and conditions (B, C).

        With it logits of organs, where the network predicts them.
        """
        return self.kind.output_with_organs(self.config, self.network, images, levels, condition)

    def organ_loss(self, logits: Tensor, maps: Tensor) -> Tensor:
        """Cross-entropy and 1 - Dice of maps of organs, by ``weights.organs``; 0 without labels."""
        return self.config.weights.organs * losses.organs(logits, maps)

    def loss(self, output: Tensor, target: Tensor, teacher: Tensor | None = None) -> Loss:
        """Eq. 14, and the distance to a teacher's output."""
        weights, tail = self.config.weights, self.config.weights.tail
        error, moved, wanted = self.kind.remaining(output, target)
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
            total = total + weights.smoothness * losses.smoothness(output)
        if weights.folding:
            u = output * self.voxels
            total = total + weights.folding * losses.folding(u, margin=_MARGIN)
        if teacher is not None:
            apart = (output - teacher).square().flatten(1).mean(1) / relative
            pull = self.config.distillation.weight * losses.tempered(apart, tail)
            total = total + pull * strong
        shown = (_pooled(term.detach(), energy) for term in (distance, turn, slope))
        return total.mean(), cast(tuple[Tensor, Tensor, Tensor], tuple(shown))


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
