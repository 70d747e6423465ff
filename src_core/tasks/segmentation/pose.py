"""Poses of a batch: rotation, scale, shift and mirrors, as positions to sample.

``position = matrix @ x + shift``, mm from the centre of the crop. Uniform draws (B, 8) in 0..1:
angle, whether, scale, whether, two shifts, two mirrors.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log, radians

import torch
from torch import Tensor

__all__ = ["DRAWS", "POSES", "PoseRange", "posed"]

DRAWS = 8


@dataclass(frozen=True)
class PoseRange:
    """What poses are drawn from.

    Attributes:
        degrees: of rotation, either way.
        scale: of the object, smallest and largest.
        shift: mm along each axis, either way.
        chance: of a rotation, and of a scale.
        mirror: the chance of a mirror, for each axis.
        draw: whether the scale, its logarithm or its inverse is uniform.
    """

    degrees: float
    scale: tuple[float, float]
    shift: float = 0.0
    chance: float = 1.0
    mirror: float = 0.0
    draw: str = "logarithm"


POSES = {
    "common": PoseRange(30, (0.7, 1.4), 20.0),
    "bigaug": PoseRange(20, (0.4, 1.6), chance=0.5, draw="scale"),
    # nnU-Net multiplies positions by .7 to 1.4.
    "nnunet": PoseRange(180, (1 / 1.4, 1 / 0.7), chance=0.2, mirror=0.5, draw="inverse"),
}


def posed(drawn_from: PoseRange, positions: Tensor, draws: Tensor) -> Tensor:
    """Positions after a pose each: (2, n, n) mm, draws (B, 8) -> (B, 2, n, n) mm."""
    angle = radians(drawn_from.degrees) * (2 * draws[:, 0] - 1)
    angle = torch.where(draws[:, 1] < drawn_from.chance, angle, 0.0)
    factor = torch.where(draws[:, 3] < drawn_from.chance, _factor(drawn_from, draws[:, 2]), 1.0)
    cos, sin = torch.cos(angle) * factor, torch.sin(angle) * factor
    matrix = torch.stack([cos, -sin, sin, cos], -1).view(-1, 2, 2)
    if drawn_from.mirror:
        matrix = matrix * torch.where(draws[:, None, 6:8] < drawn_from.mirror, -1.0, 1.0)
    shift = drawn_from.shift * (2 * draws[:, 4:6, None] - 1)
    flat = positions.flatten(1).expand(len(draws), -1, -1)
    return torch.baddbmm(shift, matrix, flat).view(-1, *positions.shape)


def _factor(drawn_from: PoseRange, draw: Tensor) -> Tensor:
    """What positions are multiplied by: the inverse of the object's scale."""
    low, high = drawn_from.scale
    if drawn_from.draw == "logarithm":
        return torch.exp(-(log(low) + draw * log(high / low)))
    if drawn_from.draw == "inverse":
        return 1 / high + draw * (1 / low - 1 / high)
    return 1 / (low + draw * (high - low))
