"""Intensities of a batch of images of mean 0 and deviation 1: nnU-Net's set, and BigAug's.

Every sample has uniform draws of its own, (B, n) in 0..1; nothing else is random but the noise
image that is handed in. Everything is computed for every sample, so that a CUDA graph can record
it; what a sample does not get leaves it as it is.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from src_core.generation import intensities as nnunet
from src_core.tasks.segmentation.tables import (
    blur_table,
    filtered,
    lower_resolution_table,
    row_of,
)

__all__ = ["DRAWS", "BigAugIntensities", "Intensities", "NnUNetIntensities"]

#: Uniform draws of either set at most.
DRAWS = 20
#: (images (B, 1, n, n), draws (B, 20), noise (B, 1, n, n)) -> images.
Intensities = Callable[[Tensor, Tensor, Tensor], Tensor]
_SMALL = 1e-6
#: Ranges and probabilities; blur and low resolution are drawn for each channel once more.
_NNUNET, _CHANNEL = nnunet.Intensities(), 0.5


class NnUNetIntensities:
    """The default of nnU-Net version 2 for one channel, in its order, as generation has it.

    Noise, blur, brightness, contrast, resolution, and gamma of the inverted image and of the image,
    mean and deviation kept.
    """

    def __init__(self, side: int, device: torch.device) -> None:
        self._blur = blur_table(side, *_NNUNET.blur).to(device)
        self._coarse = lower_resolution_table(side, *_NNUNET.resolution).to(device)

    def __call__(self, x: Tensor, u: Tensor, noise: Tensor) -> Tensor:
        """See ``Intensities``."""
        n = _NNUNET
        low, high = n.noise
        deviation = torch.where(u[:, 0] < n.noise_probability, low + (high - low) * u[:, 1], 0.0)
        x = x + noise * _each(deviation)
        x = filtered(x, self._blur, row_of(u[:, 2] < n.blur_probability * _CHANNEL, u[:, 3]))
        bright = u[:, 4] < n.brightness_probability
        x = x * _each(torch.where(bright, _around_one(u[:, 5], *n.brightness), 1.0))
        contrast = u[:, 6] < n.contrast_probability
        x = _contrast(x, torch.where(contrast, _around_one(u[:, 7], *n.contrast), 1.0))
        coarse = u[:, 8] < n.resolution_probability * _CHANNEL
        x = filtered(x, self._coarse, row_of(coarse, u[:, 9]))
        inverted = u[:, 10] < n.inverted_gamma_probability
        x = -_gamma(-x, inverted, _around_one(u[:, 11], *n.inverted_gamma))
        return _gamma(x, u[:, 12] < n.gamma_probability, _around_one(u[:, 13], *n.gamma))


class BigAugIntensities:
    """Image quality and appearance of BigAug, each with a probability of one half.

    Sharpness (amplified 10 to 30 times) and blur of .25 to 1.5 pixels, noise of deviation up to 1,
    brightness of up to .1, gamma .5 to 4.5, a perturbation (times .9 to 1.1, plus up to .1).
    """

    def __init__(self, side: int, device: torch.device) -> None:
        self._blur = blur_table(side, 0.25, 1.5).to(device)

    def __call__(self, x: Tensor, u: Tensor, noise: Tensor) -> Tensor:
        """See ``Intensities``."""
        sharpened = u[:, 0] < 0.5
        smooth = filtered(x, self._blur, row_of(sharpened, u[:, 1]))
        smoother = filtered(smooth, self._blur, row_of(sharpened, u[:, 2]))
        x = smooth + _each(10 + 20 * u[:, 3]) * (smooth - smoother)
        x = filtered(x, self._blur, row_of(u[:, 4] < 0.5, u[:, 5]))
        x = x + noise * _each(torch.where(u[:, 6] < 0.5, u[:, 7], 0.0))
        x = x + _each(torch.where(u[:, 8] < 0.5, 0.2 * u[:, 9] - 0.1, 0.0))
        low, span = _range(x)
        powered = ((x - low) / span).clamp(0, 1) ** _each(0.5 + 4 * u[:, 11]) * span + low
        x = torch.where(_each(u[:, 10]) < 0.5, powered, x)
        perturbed = x * _each(0.9 + 0.2 * u[:, 13]) + _each(0.2 * u[:, 14] - 0.1)
        return torch.where(_each(u[:, 12]) < 0.5, perturbed, x)


def _each(values: Tensor) -> Tensor:
    return values[:, None, None, None]


def _around_one(draw: Tensor, low: float, high: float) -> Tensor:
    """Below 1 in half of all cases, uniform on either side."""
    return torch.where(draw < 0.5, low + 2 * draw * (1 - low), 1 + (2 * draw - 1) * (high - 1))


def _range(x: Tensor) -> tuple[Tensor, Tensor]:
    low, high = torch.aminmax(x.flatten(1), dim=1)
    return _each(low), _each((high - low).clamp(min=_SMALL))


def _contrast(x: Tensor, factor: Tensor) -> Tensor:
    low, span = _range(x)
    mean = x.mean((1, 2, 3), keepdim=True)
    return torch.minimum(torch.maximum((x - mean) * _each(factor) + mean, low), low + span)


def _gamma(x: Tensor, wanted: Tensor, power: Tensor) -> Tensor:
    """Intensities within their range to a power, mean and deviation as before."""
    low, span = _range(x)
    deviation, mean = torch.std_mean(x, (1, 2, 3), keepdim=True)
    y = ((x - low) / span).clamp(0, 1) ** _each(power)
    y_deviation, y_mean = torch.std_mean(y, (1, 2, 3), keepdim=True)
    y = (y - y_mean) * (deviation / y_deviation.clamp(min=_SMALL)) + mean
    return torch.where(_each(wanted), y, x)
