"""What lies under the diaphragm and along the back: organs in their fat, great vessel, spine.

Signed as the rest of the chest: water positive, fat negative. Places are given from the middle
of the heart, mm.
"""

from __future__ import annotations

import numpy as np

from src_core.phantom.brush import Array, blob, cover, edge, smoothstep
from src_core.phantom.heart import Heart
from src_core.phantom.space import Space, strands, vessels

__all__ = ["paint_back", "paint_belly"]

_FAT, _MUSCLE, _LIVER, _SPLEEN, _BLOOD, _FLUID = -400.0, 150.0, 165.0, 205.0, 620.0, 560.0


def paint_belly(space: Space, canvas: Array, belly: Array, heart: Heart, grain: Array) -> None:
    """Diaphragm, fat, and the organs that lie in it; ``belly`` is the depth below, mm."""
    hx, hy = heart.centre
    cover(canvas, edge(belly), _MUSCLE)
    cover(canvas, edge(belly - 1.2), _FAT * (grain + 0.12 * space.clouds(24)))
    inside = belly - 0.5
    for scale, signal in ((34, -150.0), (19, -220.0), (9, -240.0)):
        strands(space, canvas, edge(inside), scale, 0.12, signal)
    vessels(space, canvas, edge(inside - 3), (hx + 10, hy + 100), 110, 900.0)
    _paint_bowel(space, canvas, inside)
    _paint_kidney(space, canvas, inside, (hx + 62, hy + 118))
    _paint_spleen(space, canvas, inside, (hx + 84, hy + 70))
    _paint_stomach(space, canvas, inside, (hx + 44, hy + 62))
    _paint_liver(space, canvas, inside, (hx - 58, hy + 74))


def _paint_liver(space: Space, canvas: Array, inside: Array, centre: tuple[float, float]) -> None:
    cx, cy = centre
    body = blob(space.x, space.y, centre, (98, 34), -0.24)
    lobe = blob(space.x, space.y, (cx - 12, cy + 22), (46, 52), 0.1)
    liver = np.minimum(np.maximum(body, lobe) - 10 * space.down, inside)
    cover(canvas, edge(liver), _LIVER * (1 + 0.035 * space.clouds(4) + 0.05 * space.clouds(26)))
    vessels(space, canvas, edge(liver - 4, 4), (cx + 13, cy + 8), 130, 250.0)
    strands(space, canvas, edge(liver - 5, 4), 30, 0.05, 260.0)


def _paint_spleen(space: Space, canvas: Array, inside: Array, centre: tuple[float, float]) -> None:
    shape = np.minimum(blob(space.x, space.y, centre, (19, 38), -0.45), inside)
    cover(canvas, edge(shape + 2.2), _FAT)
    cover(canvas, edge(shape), _SPLEEN * (1 + 0.03 * space.clouds(6)))


def _paint_stomach(space: Space, canvas: Array, inside: Array, centre: tuple[float, float]) -> None:
    shape = blob(space.x, space.y, centre, (space.between(24, 34), space.between(16, 22)), -0.3)
    shape = np.minimum(shape, inside - 2)
    cover(canvas, edge(shape + 2.2), _FAT)
    cover(canvas, edge(shape), 150.0)
    food = space.between(180, 330) * (1 + 0.14 * space.clouds(4) + 0.1 * space.clouds(11))
    cover(canvas, edge(shape - 3.0 - space.clouds(9), 2.5), food)


def _paint_kidney(space: Space, canvas: Array, inside: Array, centre: tuple[float, float]) -> None:
    shape = np.minimum(blob(space.x, space.y, centre, (20, 31), -0.3), inside)
    shape = shape - 40 * smoothstep(0.35 - space.down, 0, 0.3)
    cover(canvas, edge(shape + 2.2), _FAT)
    cover(canvas, edge(shape), 265.0)
    pyramids = edge(shape - 6, 2.5) * edge(space.clouds(9) + 0.2, 0.8)
    cover(canvas, pyramids, 170.0)
    cover(canvas, edge(shape - 13 + 3 * space.clouds(8), 3), _FAT)


def _paint_bowel(space: Space, canvas: Array, inside: Array) -> None:
    """Loops of gut: a grey wall round contents from gas to fluid, each with its own outline."""
    ripple = 2.5 * space.clouds(10)
    for _ in range(52):
        where = space.between(-85, 90), space.between(50, 170)
        axes = space.between(7, 20), space.between(5, 12)
        part = space.cut(where, 42)
        loop = blob(space.x[part], space.y[part], where, axes, space.between(-1.5, 1.5))
        loop = loop + ripple[part] - 20 * np.abs(space.down - space.between(0, 1))
        loop = np.minimum(loop, inside[part])
        cover(canvas[part], edge(loop), space.between(110, 190))
        cover(canvas[part], edge(loop - 3, 2.5), space.between(90, 430))


def paint_back(space: Space, canvas: Array, depth: Array, heart: Heart) -> None:
    """Aorta and spine, which leave the planes near the apex; ``depth`` is under the skin, mm."""
    hx, hy = heart.centre
    gone = 60 * smoothstep(space.down, 0.2, 0.5)
    lean = space.between(0.15, 0.4)
    x = space.x + lean * (space.y - 60) - np.float32(hx + 84) - 12 * space.down
    column = blob(x, space.y, (0, hy + 130), (17, 104)) - gone
    behind = np.minimum(np.minimum(x - 12, depth - 18), space.y - np.float32(hy + 40)) - gone
    cover(canvas, edge(behind), _MUSCLE * (1 + 0.08 * space.clouds(5)))
    strands(space, canvas, edge(behind - 1), 14, 0.16, -360.0)
    _paint_spine(space, canvas, x, column)
    cord = np.minimum(column + 8, behind)
    cover(canvas, edge(np.minimum(7 - np.abs(x - 24), cord), 2.5), _FLUID)
    cover(canvas, edge(np.minimum(3.6 - np.abs(x - 24), cord), 2.5), 250.0)
    aorta = blob(space.x, space.y, (hx + 54, hy + 52), (10, 13), 0.3) - 0.5 * gone
    cover(canvas, edge(aorta + 1.3), 110.0)
    cover(canvas, edge(aorta), _BLOOD * (1 + 0.05 * space.clouds(8)))


def _paint_spine(space: Space, canvas: Array, x: Array, column: Array) -> None:
    """Vertebrae and discs; ``x`` is from the column's axis, ``column`` the depth inside it, mm."""
    bone = np.minimum(15 - np.abs(x), column)
    level = space.y + 0.35 * x - 31 * np.round((space.y + 0.35 * x) / 31)
    cover(canvas, edge(bone + 2.5, 3), -330.0)
    cover(canvas, edge(bone, 2.5), 70.0)
    marrow = bone - 0.012 * (15 - np.abs(level)) ** 2 - 1.4
    cover(canvas, edge(marrow, 2.5), 215 * (1 + 0.12 * space.clouds(5) + 0.1 * space.clouds(20)))
    disc = edge(3.2 - np.abs(np.abs(level) - 15.5), 2.5) * edge(bone - 1, 3)
    cover(canvas, disc, 120 + 50 * space.clouds(6))
