"""What a recovery has to beat at equal mean displacement: no network, and elastic deformation.

No network: ``u = exp(s tau v)`` with s in 0..1, a lower level, so that nothing is scaled once
integrated. Elastic: a cubic B-spline of independent uniform displacements, as augmentations have
it, whose magnitude is their parameter: 11 control points a side, 8 spans over the image, about the
spacing of MONAI's example for Rand2DElastic (30 pixels of 224).
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import brentq
from torch import Tensor

from src_core.diffusion.flow import Flow
from src_core.fields import magnitude

__all__ = ["CONTROL_POINTS", "bspline", "elastic_ddf", "equal_mean_flow"]

CONTROL_POINTS = 11


def equal_mean_flow(flow: Flow, mean: float) -> Flow:
    """The flow at the lower level whose mean displacement is the one asked for.

    Args:
        flow: a random flow, at the level where recovery started.
        mean: mean length of the displacement, state voxels.

    Returns:
        The flow itself where it moves less than ``mean``.
    """

    def excess(factor: float) -> float:
        return float(magnitude(flow.scaled(factor).displacement()).mean()) - mean

    if mean <= 0:
        return flow.scaled(0)
    if excess(1.0) <= 0:
        return flow
    return flow.scaled(float(brentq(excess, 0.0, 1.0, xtol=1e-4)))


def elastic_ddf(
    state: int, ndim: int, mean: float, source: torch.Generator, points: int = CONTROL_POINTS
) -> Tensor:
    """A random elastic deformation: (1, D, *state), state voxels, of that mean length."""
    draws = torch.rand(ndim, *[points] * ndim, generator=source, dtype=torch.float64)
    u = bspline((2 * draws - 1).numpy(), state)
    length = np.sqrt(np.square(u).sum(axis=0)).mean()
    return torch.from_numpy(u * (mean / length))[None].float()


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
