"""Random B-spline displacements, as other augmentations draw them; they are never exponentiated.

Elastic: a cubic B-spline of independent uniform displacements: 11 control points per side, 8 spans
over the image, about the spacing of MONAI's example for Rand2DElastic (30 pixels of 224).
Multi-resolution: several such splines, composed from coarse to fine.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from src_core.diffusion.random_field import generator
from src_core.fields import compose, magnitude

__all__ = ["CONTROL_POINTS", "SPANS", "bspline", "elastic_ddf", "multiresolution_ddf"]

CONTROL_POINTS = 11

#: Spans of a multi-resolution spline over the image; each moves half as much as the last.
SPANS = (2, 4, 8)

# It is rescaled at most this often, until its mean length agrees to this share.
_RESCALINGS, _TOLERANCE = 10, 1e-3


def elastic_ddf(
    state: int, ndim: int, mean: float, source: torch.Generator, points: int = CONTROL_POINTS
) -> Tensor:
    """A random elastic deformation: (1, D, *state), state voxels, of that mean length."""
    draws = torch.rand(ndim, *[points] * ndim, generator=source, dtype=torch.float64)
    u = bspline((2 * draws - 1).numpy(), state)
    length = np.sqrt(np.square(u).sum(axis=0)).mean()
    return torch.from_numpy(u * (mean / length))[None].float()


def multiresolution_ddf(like: Tensor, *seeds: int, part: float = 1.0) -> Tensor:
    """A random multi-resolution B-spline of the mean length of another field.

    Args:
        like: (1, D, *state), state voxels.
        seeds: of the draws.
        part: of the grid along each axis, about its centre, over which the mean is taken.

    Returns:
        (1, D, *state), state voxels: cubic B-splines of ``SPANS``, composed from coarse to fine.
    """
    ndim, state, source = like.shape[1], like.shape[-1], generator(*seeds)
    splines = []
    for order, spans in enumerate(SPANS):
        drawn = torch.rand(ndim, *[spans + 3] * ndim, generator=source, dtype=torch.float64)
        field = torch.from_numpy(bspline((2 * drawn - 1).numpy(), state))
        splines.append(field[None].to(like.dtype) / 2**order)
    wanted, scale, u = _mean_length(like, part), 1.0, like
    for _ in range(_RESCALINGS):
        u = torch.zeros_like(like)
        for spline in splines:
            u = compose(u, scale * spline)
        ratio = wanted / max(_mean_length(u, part), 1e-9)
        if abs(ratio - 1) < _TOLERANCE:
            break
        scale *= ratio
    return u


def bspline(coefficients: NDArray[np.float64], side: int) -> NDArray[np.float64]:
    """A uniform cubic B-spline at the voxels of a grid: (C, n, ..., n) -> (C, side, ..., side).

    The n - 3 spans cover the grid from outer edge to outer edge, as ITK's transform does.
    """
    weights = _weights(coefficients.shape[-1], side)
    values = coefficients
    for axis in range(1, coefficients.ndim):
        values = np.moveaxis(np.tensordot(weights, values, (1, axis)), 0, axis)
    return np.asarray(values)


def _weights(points: int, side: int) -> NDArray[np.float64]:
    """(side, points): the cubic B-spline about each control point at each voxel's centre."""
    position = (np.arange(side) + 0.5) / side * (points - 3) + 1
    distance = np.abs(position[:, None] - np.arange(points))
    near = 2 / 3 - distance**2 + distance**3 / 2
    far = np.clip(2 - distance, 0, None) ** 3 / 6
    return np.asarray(np.where(distance < 1, near, far))


def _mean_length(u: Tensor, part: float) -> float:
    rim = round(u.shape[-1] * (1 - part) / 2)
    inner = slice(rim, u.shape[-1] - rim)
    return float(magnitude(u)[(slice(None), *[inner] * u.shape[1])].mean())
