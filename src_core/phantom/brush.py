"""Shapes with soft edges, layers and smooth random textures, float32 in mm.

Distances are positive inside a shape; an edge fades linearly over ``soft`` mm, which is what
partial volume does to a sharp border.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Array", "blob", "clouds", "cover", "edge", "smoothstep"]

Array = NDArray[np.floating[Any]]


def edge(distance: Array, soft: float | Array = 1.6) -> Array:
    """Share of a voxel inside a shape, 0 to 1, from the distance to its border in mm."""
    return np.clip(distance / np.float32(soft) + np.float32(0.5), 0, 1)


def cover(canvas: Array, share: Array, value: Array | float) -> None:
    """Blend a value into the canvas, in place: ``canvas (1 - share) + value share``."""
    canvas += share * (value - canvas)


def blob(
    x: Array, y: Array, centre: tuple[float, float], axes: tuple[float, float], turn: float = 0.0
) -> Array:
    """About the distance to the border of an ellipse, mm, positive inside.

    Args:
        x: mm, any shapes that broadcast with ``y``.
        y: mm.
        centre: mm.
        axes: half axes, mm.
        turn: from the x axis to the first half axis, radians.
    """
    dx, dy = x - np.float32(centre[0]), y - np.float32(centre[1])
    cos, sin = np.float32(np.cos(turn)), np.float32(np.sin(turn))
    a, b = np.float32(axes[0]), np.float32(axes[1])
    along, across = cos * dx + sin * dy, cos * dy - sin * dx
    level = np.sqrt((along / a) ** 2 + (across / b) ** 2)
    slope = np.sqrt((along / a**2) ** 2 + (across / b**2) ** 2) + np.float32(1e-6)
    return (1 - level) * level / slope


def smoothstep(value: Array | float, low: float, high: float) -> Array:
    """0 below ``low``, 1 above ``high``, flat at both ends."""
    t = np.clip((np.asarray(value, np.float32) - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


def clouds(
    rng: np.random.Generator,
    shape: tuple[int, ...],
    spacing: tuple[float, ...],
    scale: tuple[float, ...] | float,
    periodic: bool = False,
) -> Array:
    """Smooth random field of about unit variance: cubic B-splines on a random lattice.

    Args:
        rng: where the lattice values come from.
        shape: of the result.
        spacing: of the result, mm by axis.
        scale: between lattice points, mm, one or one by axis.
        periodic: whether the last axis closes on itself.
    """
    scales = (scale,) * len(shape) if isinstance(scale, int | float) else scale
    steps = [max(s / h, 1.0) for s, h in zip(scales, spacing, strict=True)]
    knots = [int((n - 1) / step) + 5 for n, step in zip(shape, steps, strict=True)]
    field: Array = rng.standard_normal(knots, dtype=np.float32)
    if periodic:
        cells = max(round(shape[-1] / steps[-1]), 4)
        steps[-1] = shape[-1] / cells
        field = np.take(field, np.arange(cells + 4) % cells, axis=-1, mode="wrap")
    for axis, (count, step) in enumerate(zip(shape, steps, strict=True)):
        field = np.moveaxis(field, axis, -1) @ _spline(count, step, field.shape[axis])
        field = np.moveaxis(field, -1, axis)
    return np.ascontiguousarray(field)


def _spline(count: int, step: float, knots: int) -> Array:
    """Cubic B-spline weights (knots, count), each column scaled to keep the variance at one."""
    where = np.arange(count) / step
    away = np.abs(np.arange(knots)[:, None] - 1 - where)
    weights = np.where(away < 1, 4 - 6 * away**2 + 3 * away**3, np.clip(2 - away, 0, None) ** 3)
    return (weights / np.linalg.norm(weights, axis=0)).astype(np.float32)
