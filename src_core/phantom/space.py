"""Coordinates in the chest, and the tissues that are drawn in several places of it.

Arrays are (Z, Y, X): x to the patient's left, y downwards, mm from the middle of the field of
view. Positions are wobbled by smooth noise, so that no border is a perfect curve.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from src_core.phantom.brush import Array, blob, clouds, cover, edge

__all__ = ["Space", "strands", "vessels"]


@dataclass(frozen=True)
class Space:
    """Positions in mm, the distance from base to apex, and the random generator of the chest.

    Attributes:
        x: (Z, Y, X), mm, wobbled.
        y: (Z, Y, X), mm.
        down: (Z, 1, 1), 0 at the base of the heart, 1 at its apex.
        skin: x and y wobbled less, for what lies near the skin.
        spacing: of the arrays by axis (z, y, x), mm.
        rng: for shapes and textures.
    """

    x: Array
    y: Array
    down: Array
    skin: tuple[Array, Array]
    spacing: tuple[float, float, float]
    rng: np.random.Generator

    @classmethod
    def of(
        cls,
        shape: tuple[int, int, int],
        spacing: tuple[float, float, float],
        depths: NDArray[np.float64],
        length: float,
        rng: np.random.Generator,
    ) -> Space:
        """The space of a stack (Z, Y, X) whose planes lie ``depths`` mm below the base."""
        y, x = (
            (np.arange(n, dtype=np.float32) - np.float32((n - 1) / 2)) * np.float32(h)
            for n, h in zip(shape[1:], spacing[1:], strict=True)
        )
        wobble = [
            4.5 * clouds(rng, shape, spacing, (30, 42, 42))
            + 1.3 * clouds(rng, shape, spacing, (16, 12, 12))
            + 0.5 * clouds(rng, shape, spacing, (12, 5, 5))
            for _ in range(2)
        ]
        down = (depths / length).astype(np.float32)[:, None, None]
        y, (dx, dy) = y[:, None], wobble
        skin = x + np.float32(0.2) * dx, y + np.float32(0.2) * dy
        return cls(x + dx, y + dy, down, skin, spacing, rng)

    def clouds(self, scale: float, through: float = 24.0) -> Array:
        """Texture over the whole stack with lumps of ``scale`` mm in the plane."""
        return clouds(self.rng, self.x.shape, self.spacing, (through, scale, scale))

    def cut(self, where: tuple[float, float], reach: float) -> tuple[slice, slice, slice]:
        """The part of the stack within ``reach`` mm of a place, by the planes' rows and columns."""
        middle = zip(where[::-1], self.x.shape[1:], self.spacing[1:], strict=True)
        ends = [
            [int(np.clip((mm + side) / step + n / 2, 0, n)) for side in (-reach, reach)]
            for mm, n, step in middle
        ]
        return slice(None), slice(*ends[0]), slice(*ends[1])

    def between(self, low: float, high: float) -> float:
        """A number drawn evenly from a range."""
        return float(self.rng.uniform(low, high))


def strands(
    space: Space, canvas: Array, share: Array, scale: float, width: float, signal: float
) -> None:
    """Thin winding strands where a random field crosses zero, broken where another is low."""
    line = edge(width - np.abs(space.clouds(scale, 30)), width)
    cover(canvas, line * share * edge(space.clouds(1.6 * scale) + 0.1, 0.8), signal)


def vessels(
    space: Space,
    canvas: Array,
    share: Array,
    hub: tuple[float, float],
    count: int,
    signal: float,
) -> None:
    """Add short bits of vessels where they cross the planes, thickest near the hub (mm)."""
    for _ in range(count):
        away, course = 4 + space.rng.exponential(42), space.between(-np.pi, np.pi)
        where = hub[0] + away * math.cos(course), hub[1] + away * math.sin(course)
        size = max(2.4 * math.exp(-away / 50), 0.9) * space.between(0.7, 1.3)
        axes = size * min(1 + space.rng.exponential(0.9), 5.0), size
        part, turn = space.cut(where, axes[0] + 14), course + space.between(-0.8, 0.8)
        spot = edge(blob(space.x[part], space.y[part], where, axes, turn), 2.2)
        plane, reach = space.between(0, 1), space.between(0.04, 0.14)
        bright = np.exp(-(((space.down - plane) / reach) ** 2)) * (space.between(0.3, 1) * signal)
        canvas[part] += share[part] * spot * bright
