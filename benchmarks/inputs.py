"""What the benchmarks work on: smooth fields that do not fold, images, labels, and models."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor

from src_core.cases.case import Case
from src_core.phantom import cardiac_phantom

__all__ = ["MODEL", "VOLUME_MODEL", "ball_case", "ball_labels", "field", "mm_field", "slice_case"]

MODEL = "cardiac-sax"
VOLUME_MODEL = Path(__file__).parents[1] / "resources" / "restricted" / "hippocampus.safetensors"
# of the side, and of the steepest slope that a field may have
_SMOOTH, _SLOPE = 0.06, 0.5


def field(shape: tuple[int, ...], seed: int = 0) -> Tensor:
    """A displacement (1, D, *shape), float64, voxels, steep and without a fold."""
    rng, steepest = np.random.default_rng(seed), 0.0
    u = np.empty((len(shape), *shape))
    for part in u:  # one after the other: the largest volumes leave no room for all at once
        part[:] = rng.standard_normal(shape)
        ndimage.gaussian_filter(part, _SMOOTH * min(shape), output=part)
        for axis in range(len(shape)):
            slopes = np.diff(part, axis=axis)
            steepest = max(steepest, float(slopes.max()), float(-slopes.min()))
    u *= _SLOPE / len(shape)
    u /= steepest
    return torch.from_numpy(u)[None]


def mm_field(shape: tuple[int, int, int], seed: int = 0) -> NDArray[np.float32]:
    """The same in 3D as a file has it, (X, Y, Z, 3), float32, LPS mm, of voxels of 1 mm."""
    u = np.moveaxis(field(shape, seed)[0].numpy(), 0, -1)
    return np.ascontiguousarray(u * (-1, -1, 1), dtype=np.float32)


def ball_case(side: int) -> Case:
    """A float32 volume of 1 mm, and four labels."""
    labels = ball_labels(side)
    noise = np.random.default_rng(1).standard_normal(labels.shape).astype(np.float32)
    image = 60 * labels + 20 * ndimage.gaussian_filter(noise, 1.5)
    return Case.from_arrays(image.astype(np.float32), labels, spacing=1.0)


def ball_labels(side: int) -> NDArray[np.uint8]:
    """Balls in balls: labels 0 to 4."""
    axis = np.linspace(-1, 1, side, dtype=np.float32) ** 2
    distance = np.sqrt(axis[:, None, None] + axis[:, None] + axis)
    return sum(((distance < r).astype(np.uint8) for r in (0.8, 0.6, 0.4, 0.2)), np.uint8(0))


def slice_case(side: int) -> Case:
    """One slice of the phantom with its labels."""
    phantom = cardiac_phantom(slices=1, phases=1, shape=(side, side))
    return Case.from_arrays(phantom.image[..., 0], phantom.labels[..., 0], affine=phantom.affine)
