"""Drawn changes of intensities, made on arrays: nnU-Net's set, in its order and units.

With z = (value - mean) / deviation of the image: noise, blur, brightness, contrast, low
resolution, gamma of the inverted image, gamma (Isensee et al. 2021,
doi:10.1038/s41592-020-01008-z). Labels are never touched.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from src_core.cases.case import Case
from src_core.cases.intensities import stored
from src_core.cases.volume import Image
from src_core.fields import smooth
from src_core.generation.drawn import DrawnIntensities

__all__ = ["change_case", "changed"]

_SMALL = 1e-7


def change_case(case: Case, drawn: Sequence[DrawnIntensities], axis: int | None) -> Case:
    """A case whose images are changed, each by its own numbers; types stay, and their limits.

    Args:
        case: labels are kept as they are.
        drawn: one for each image; none to change nothing.
        axis: the slice axis, along which nothing is blurred or made coarser; None in 3D.
    """
    if not drawn:
        return case
    pairs = zip(case.images, drawn, strict=True)
    return replace(case, images=tuple(_image(image, one, axis) for image, one in pairs))


def changed(values: Tensor, drawn: DrawnIntensities, axis: int | None) -> Tensor:
    """The frames of one image with other intensities.

    Args:
        values: (T, X, Y, Z), floating point; statistics are over all of it.
        drawn: the changes.
        axis: the slice axis, along which nothing is blurred or made coarser; None in 3D.

    Returns:
        The same shape and type; an image of one value stays as it is.
    """
    mean, deviation = values.mean(), values.std(correction=0)
    if not (drawn.changes and float(deviation) > 0):
        return values
    z = _noisy((values - mean) / deviation, drawn)
    z = _blurred(z, drawn.blur, axis) * drawn.brightness
    z = _coarse(_contrasted(z, drawn.contrast), drawn.resolution, axis)
    z = -_curved(-z, drawn.inverted_gamma, drawn.keeps_mean)
    return _curved(z, drawn.gamma, drawn.keeps_mean) * deviation + mean


def _image(image: Image, drawn: DrawnIntensities, axis: int | None) -> Image:
    if not drawn.changes:
        return image
    data = image.data
    single = data.dtype == np.float32 or data.dtype.itemsize <= 2
    sign = math.copysign(1.0, image.scaling[0])  # dark is dark, however it is stored
    values = torch.from_numpy(data.astype(np.float32 if single else np.float64)) * sign
    frames = values.movedim(-1, 0) if data.ndim == 4 else values[None]
    new = changed(frames, drawn, axis) * sign
    whole = new.movedim(0, -1) if data.ndim == 4 else new[0]
    return image.with_data(stored(whole.contiguous().numpy(), data.dtype))


def _noisy(z: Tensor, drawn: DrawnIntensities) -> Tensor:
    if not drawn.noise:
        return z
    source = torch.Generator().manual_seed(drawn.noise_seed)
    return z + drawn.noise * torch.randn(z.shape, generator=source, dtype=z.dtype).to(z.device)


def _blurred(z: Tensor, deviations: Sequence[float], axis: int | None) -> Tensor:
    for along, deviation in enumerate(deviations):
        if deviation and along != axis and z.shape[along + 1] > 1:
            lines = z.movedim(along + 1, -1)
            blurred = smooth(lines.reshape(1, -1, lines.shape[-1]), deviation)
            z = blurred.view(lines.shape).movedim(-1, along + 1)
    return z


def _contrasted(z: Tensor, factor: float) -> Tensor:
    """Away from the mean by a factor, within the range that there was."""
    if factor == 1:
        return z
    mean = z.mean()
    return ((z - mean) * factor + mean).clamp(z.amin(), z.amax())


def _coarse(z: Tensor, share: float, axis: int | None) -> Tensor:
    """Fewer voxels, the nearest taken, and back to as many, linearly."""
    if share == 1:
        return z
    shape = tuple(z.shape[1:])
    few = [n if a == axis else max(1, round(n * share)) for a, n in enumerate(shape)]
    return functional.interpolate(
        functional.interpolate(z[None], few, mode="nearest-exact"), shape, mode="trilinear"
    )[0]


def _curved(z: Tensor, gamma: float, keeps_mean: bool) -> Tensor:
    """To the power of gamma between the least and the largest value."""
    if gamma == 1:
        return z
    low = z.amin()
    extent = (z.amax() - low).clamp(min=_SMALL)
    curved = ((z - low) / extent).clamp(min=0) ** gamma * extent + low
    if not keeps_mean:
        return curved
    deviation = curved.std(correction=0).clamp(min=_SMALL)
    return (curved - curved.mean()) / deviation * z.std(correction=0) + z.mean()
