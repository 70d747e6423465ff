"""What surrounds the heart and does not beat: chest wall, lungs, and the fat under the heart.

Everything is signed: water is positive and fat negative, as between the two echoes of a balanced
steady-state sequence; where they share a voxel they cancel, and the magnitude has the thin black
outlines of real scans.
"""

from __future__ import annotations

import math

import numpy as np

from src_core.phantom.brush import Array, blob, cover, edge
from src_core.phantom.heart import Heart
from src_core.phantom.organs import paint_back, paint_belly
from src_core.phantom.space import Space, strands, vessels

__all__ = ["paint_chest"]

_FAT, _MUSCLE, _LUNG = -540.0, 150.0, 38.0


def paint_chest(space: Space, heart: Heart) -> Array:
    """Signed signal of everything but the heart, (Z, Y, X)."""
    plump = space.between(5, 12)
    depth, arc = _outline(space, heart, plump)
    fat, sheet, wall = _layers(space, plump)
    canvas = np.zeros_like(space.x)
    grain = 1 + 0.06 * space.clouds(5) + 0.06 * space.clouds(16)
    cover(canvas, edge(depth), _FAT * grain)
    cover(canvas, edge(depth, 3.0) - edge(depth - 2.2, 2.5), 160.0)
    strands(space, canvas, edge(depth - 4, 4) * edge(fat - 3 - depth, 3), 20, 0.06, -230.0)
    _paint_wall(space, canvas, depth - fat, sheet, wall, arc, grain)
    chest = depth - fat - sheet - wall
    cover(canvas, edge(chest), _LUNG + 7 * space.clouds(9) + 5 * space.clouds(4))
    hilum = heart.centre[0] + 25, heart.centre[1] - 42
    vessels(space, canvas, edge(chest - 3), hilum, 150, 520.0)
    belly = np.minimum(_diaphragm(space, heart), chest)
    _paint_heart_fat(space, canvas, chest, heart)
    paint_belly(space, canvas, belly, heart, grain)
    paint_back(space, canvas, depth, heart)
    canvas *= 1 + 0.06 * space.clouds(3, 8) + 0.05 * space.clouds(10) + 0.06 * space.clouds(36)
    return canvas


def _outline(space: Space, heart: Heart, plump: float) -> tuple[Array, Array]:
    """Depth under the skin, and the way round the body, both mm; it leaves the heart its room."""
    wide, high, middle = space.between(112, 128), space.between(166, 200), space.between(30, 45)
    hx, hy = heart.centre
    skin = hx - heart.radius - heart.wall - heart.rv_depth - plump - space.between(14, 22)
    slant = space.between(-0.1, 0.26)
    centre = skin + slant * hy + wide * math.sqrt(1 - ((hy - middle) / high) ** 2)
    x, y = space.skin
    x = x - np.float32(centre) + np.float32(slant) * y
    y = y - np.float32(middle)
    shrink = 1 - 0.1 * space.down
    a = np.float32(wide) * shrink
    b = np.where(y < 0, np.float32(high) * shrink, np.float32(330))
    level = np.sqrt((x / a) ** 2 + (y / b) ** 2) + np.float32(1e-6)
    slope = np.sqrt((x / a**2) ** 2 + (y / b**2) ** 2) + np.float32(1e-6)
    depth = (1 - level) * level / slope + 3.5 * space.clouds(90, 60)
    return depth, np.arctan2(x / a, -y / b) * 128


def _layers(space: Space, plump: float) -> tuple[Array, Array, Array]:
    """Thickness of the fat under the skin, of the outer muscles and of the ribs' layer, mm."""
    lumps = 3.5 * space.clouds(60, 40)
    fat = np.maximum(
        np.float32(plump) * (1 + 0.5 * space.down) + lumps + 7 * edge(-space.x, 120), 3.5
    )
    upper = edge(-space.y - 30, 90) * edge(space.x + 60, 80)
    sheet = np.maximum(2 + 16 * upper * (1 - 0.5 * space.down) + 5 * space.clouds(50, 40), 1)
    return fat, sheet, 9 + 1.5 * space.clouds(60)


def _paint_wall(
    space: Space, canvas: Array, depth: Array, sheet: Array, wall: Array, arc: Array, grain: Array
) -> None:
    """The outer muscles with fat between them, then the layer of the ribs."""
    cover(canvas, edge(depth), _MUSCLE * grain)
    strands(space, canvas, edge(depth - 2) * edge(sheet - 2 - depth), 26, 0.09, -260.0)
    cover(canvas, edge(depth - sheet + 1.2, 1.5) * edge(space.clouds(18) + 0.6, 0.8), -420 * grain)
    inner = depth - sheet
    cover(canvas, edge(inner - 1.2), 120 * grain)
    _paint_ribs(space, canvas, inner, wall, arc, grain)


def _paint_ribs(
    space: Space, canvas: Array, depth: Array, wall: Array, arc: Array, grain: Array
) -> None:
    """Ribs, each with a dark rind round its marrow and fat beside it, and the breastbone."""
    way = arc + 16 * space.down + 6 * space.clouds(30, 40)
    along = way - 27 * np.round(way / 27)
    gap = edge(np.abs(along) - 10.5, 3) * edge(space.clouds(10) - 0.3, 0.8)
    cover(canvas, gap * edge(depth - 2) * edge(wall - 2 - depth), -330.0)
    rib = blob(along, depth - 0.55 * wall, (0, 0), (8.0, 3.3)) + 1.1 * space.clouds(16)
    seen = edge(space.clouds(36) + 0.7, 0.9)
    cover(canvas, seen * edge(rib + 1.5, 2.2), 50.0)
    cover(canvas, seen * edge(rib, 2.2), -190 * grain + 60 * space.clouds(20))
    breastbone = blob(arc + 186, depth - 0.5 * wall, (0, 0), (19, 4.6))
    cover(canvas, edge(breastbone + 2.2, 2.2), 60.0)
    cover(canvas, edge(breastbone, 2.2), -250 * grain)


def _diaphragm(space: Space, heart: Heart) -> Array:
    """Depth under the diaphragm, mm: two domes, higher in the planes near the apex."""
    x = space.x - np.float32(heart.centre[0])
    floor = np.float32(heart.centre[1] + heart.radius + heart.wall + 3) - 12 * space.down
    left = 0.0038 * (x - 30) ** 2
    right = 0.004 * (x + 62) ** 2 - 6
    dome = np.minimum(np.minimum(left, right), 40)
    return space.y - floor - dome + 2.0 * space.clouds(40)


def _paint_heart_fat(space: Space, canvas: Array, chest: Array, heart: Heart) -> None:
    """Fat between the heart, the breastbone and the diaphragm."""
    hx, hy = heart.centre
    pad = blob(space.x, space.y, (hx - 52, hy + 20), (space.between(18, 30), 32), 0.5)
    rest = blob(space.x, space.y, (hx - 10, hy + 34), (52, 13), 0.05)
    fat = np.minimum(np.maximum(pad, rest), chest - 1)
    cover(canvas, edge(fat, 2.5), -470 * (1 + 0.08 * space.clouds(7)))
