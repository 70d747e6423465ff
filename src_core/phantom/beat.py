"""One plane of the heart at one moment: blood, wall, papillary muscles and the fat round it.

A point is known by its angle and by where it lies between the borders: 0 to 1 in the cavity,
1 to 2 in the wall, 2 to 5 in the 60 mm outside. Textures live there, so they move with the
muscle; they turn with the twist of the ventricle.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from src_core.phantom.brush import Array, blob, clouds, cover, edge, smoothstep
from src_core.phantom.heart import ANGLES, Contours, Curve, Heart

__all__ = ["Muscle", "paint_heart"]

_BLOOD, _MYOCARDIUM, _FAT = 620.0, 155.0, -500.0
_RINGS = 80
_REACH = 5.0


@dataclass(frozen=True)
class Muscle:
    """Textures of one heart and where its papillary muscles stand.

    Attributes:
        fine: (Z, rings, ANGLES), about unit variance.
        coarse: (Z, rings, ANGLES), about unit variance.
        comb: (Z, ANGLES), how far the trabeculae reach into the cavity, mm.
        papillary: angle, and thickness in mm, of the two muscles, (2, 2).
        sleeve: thickness of the fat round the heart, mm.
    """

    fine: Array
    coarse: Array
    comb: Array
    papillary: tuple[tuple[float, float], ...]
    sleeve: float

    @classmethod
    def draw(cls, rng: np.random.Generator, slices: int, heart: Heart) -> Muscle:
        """Textures for a stack of ``slices`` planes."""
        shape, cell = (slices, _RINGS, ANGLES), (8.0, 1.0, 1.0)
        comb = sum(
            clouds(rng, (slices, ANGLES), (8.0, 1.0), (12, ANGLES / n), periodic=True)
            for n in (21, 40, 74)
        )
        across = heart.rv_turn + np.pi + 0.25
        pair = tuple(
            (across + side * rng.uniform(0.85, 1.15), rng.uniform(4.2, 5.6)) for side in (-1, 1)
        )
        return cls(
            fine=clouds(rng, shape, cell, (10, 2.0, ANGLES / 80), periodic=True),
            coarse=clouds(rng, shape, cell, (20, 8, ANGLES / 9), periodic=True),
            comb=np.clip(comb - 0.5, 0, 3) * np.float32(1.3),
            papillary=pair,
            sleeve=float(rng.uniform(2, 4.5)),
        )


class _HeartSlice:
    """A part of one plane at one moment, in polar coordinates about the axis.

    Attributes:
        x: (1, X), mm from the axis.
        y: (Y, 1), mm from the axis.
        curves: borders.
        down: 0 at the base, 1 at the apex.
        soft: width of a border, mm.
        radius: (Y, X), mm from the axis.
        place: (Y, X), index into tables over the angle.
    """

    def __init__(self, x: Array, y: Array, curves: Contours, down: float, soft: float) -> None:
        self.x, self.y, self.curves, self.down, self.soft = x, y, curves, down, soft
        self.radius = np.hypot(x, y)
        turn = (np.arctan2(y, x) + np.float32(np.pi)) * np.float32(ANGLES / (2 * np.pi))
        self.place: NDArray[np.intp] = np.rint(turn).astype(np.intp) % ANGLES

    def border(self, curve: Curve) -> Array:
        """Radius of a curve at each voxel's angle."""
        return curve.astype(np.float32)[self.place]

    def depth(self, curve: Curve) -> Array:
        """Distance inside a curve, mm, to first order of its slope."""
        slope = (np.roll(curve, -1) - np.roll(curve, 1)) * (ANGLES / (4 * np.pi))
        tilt = curve / np.sqrt(curve**2 + slope**2 + 1e-9)
        return (self.border(curve) - self.radius) * self.border(tilt)

    def share(self, curve: Curve, inset: float | Array = 0.0) -> Array:
        """Share of each voxel inside a curve, or inside by more than ``inset`` mm."""
        return edge(self.depth(curve) - inset, self.soft)

    def labels(self) -> NDArray[np.uint8]:
        """1 RV, 2 myocardium, 3 LV cavity, by where a voxel's middle lies."""
        borders = (self.curves.rv, self.curves.epi, self.curves.endo)
        return np.sum([self.radius < self.border(c) for c in borders], axis=0, dtype=np.uint8)

    def textures(self, muscle: Muscle, index: int, twist: float) -> tuple[Array, Array]:
        """The fine and the coarse texture at each voxel, which move with the muscle."""
        endo, epi = self.border(self.curves.endo), self.border(self.curves.epi)
        tiny = np.float32(1e-3)
        wall = 1 + (self.radius**2 - endo**2) / (epi**2 - endo**2 + tiny)
        where = np.where(self.radius < endo, self.radius / (endo + tiny), wall)
        where = np.where(self.radius > epi, 2 + (self.radius - epi) / 20, where)
        ring = np.clip(where * (_RINGS / _REACH), 0, _RINGS - 1).astype(np.intp)
        turn = (self.place - round(twist * ANGLES / (2 * np.pi))) % ANGLES
        return muscle.fine[index][ring, turn], muscle.coarse[index][ring, turn]


def paint_heart(
    canvas: Array,
    x: Array,
    y: Array,
    muscle: Muscle,
    heart: Heart,
    plane: tuple[int, float, float],
    squeeze: float,
) -> NDArray[np.uint8]:
    """Paint one plane over the canvas (Y, X), in place, and return its labels.

    Args:
        canvas: signed signal, (Y, X).
        x: (1, X), mm from the axis of the ventricle.
        y: (Y, 1), mm from the axis.
        muscle: textures.
        heart: shape.
        plane: index, depth below the base in mm and thickness in mm.
        squeeze: contraction, 0 to 1.
    """
    index, z, thick = plane
    down = z / heart.length
    soft = _softness(heart, z, thick, squeeze)
    view = _HeartSlice(x, y, heart.contours(z, squeeze), down, soft)
    labels = view.labels()
    if labels.any():
        fine, coarse = view.textures(muscle, index, 0.14 * squeeze * (down - 0.4))
        flesh = _MYOCARDIUM * (1 + 0.11 * fine + 0.1 * coarse)
        fade = np.minimum(view.radius / 14, 1)
        blood = _BLOOD * (1 + fade * (0.06 * coarse + 0.03 * fine))
        _paint_walls(canvas, view, muscle, heart, flesh, fine, coarse)
        _paint_right(canvas, view, blood, fine + 0.6 * coarse)
        _paint_left(canvas, view, blood, muscle.comb[index])
        _paint_papillary(canvas, view, muscle, flesh, fine)
    return labels


def _softness(heart: Heart, z: float, thick: float, squeeze: float) -> float:
    """Width of the borders, mm: wider where the wall runs slantwise through the slice."""
    above, below = (heart.contours(z + s * thick / 2, squeeze).epi.mean() for s in (-1, 1))
    return float(np.clip(1.5 + 0.35 * (above - below), 1.5, 5.0))


def _paint_walls(
    canvas: Array,
    view: _HeartSlice,
    muscle: Muscle,
    heart: Heart,
    flesh: Array,
    fine: Array,
    coarse: Array,
) -> None:
    """Both ventricles as solid muscle in a sleeve of fat."""
    rv, epi = view.curves.rv, view.curves.epi
    outer = np.maximum(epi, rv + 1.5 * smoothstep(rv - epi, 0, 2))
    cover(canvas, view.share(_sleeve(outer, muscle, heart)), _FAT * (1 + 0.07 * coarse))
    cover(canvas, view.share(outer, 0.4 * fine), flesh)


def _sleeve(outer: Curve, muscle: Muscle, heart: Heart) -> Curve:
    """Border of the fat: thick before the right ventricle and in the grooves, none at the side."""
    waves = np.fft.rfftfreq(ANGLES, 1 / ANGLES)
    smooth = np.fft.irfft(np.fft.rfft(outer) * np.exp(-0.5 * (waves * 0.2) ** 2), ANGLES)
    turn = np.linspace(-np.pi, np.pi, ANGLES, endpoint=False) - heart.rv_turn
    share = 0.35 + 0.75 * np.cos(turn + 0.2) + 0.4 * np.cos(2 * turn + muscle.sleeve)
    return np.asarray(np.maximum(outer, smooth) + muscle.sleeve * share)


def _paint_right(canvas: Array, view: _HeartSlice, blood: Array, lumps: Array) -> None:
    """Blood of the right ventricle between its trabeculae, denser towards the apex."""
    rv, epi = view.curves.rv, view.curves.epi
    if (rv - epi).max() > 1:
        meat = edge(lumps - 1.9 + 1.2 * view.down, 1.6) * 0.6
        pool = edge(np.minimum(view.depth(rv), -view.depth(epi)), view.soft)
        cover(canvas, pool * (1 - meat), 0.93 * blood)


def _paint_left(canvas: Array, view: _HeartSlice, blood: Array, comb: Array) -> None:
    """Blood of the left ventricle; trabeculae reach into it, further towards the apex."""
    endo = view.curves.endo
    if endo.max() > 0:
        reach = comb[view.place] * (0.4 + 1.3 * view.down)
        inset = np.minimum(reach, 0.3 * float(endo.mean())) - 0.3
        cover(canvas, view.share(endo, inset), blood)


def _paint_papillary(
    canvas: Array, view: _HeartSlice, muscle: Muscle, flesh: Array, fine: Array
) -> None:
    """Two muscles that stand in the cavity from the middle down and melt into the wall."""
    endo = view.curves.endo
    room = view.share(endo) * (0.9 * float(smoothstep(view.down, 0.22, 0.36)))
    for angle, size in muscle.papillary:
        near = int((angle + np.pi) / (2 * np.pi) * ANGLES) % ANGLES
        away = float(endo[near]) * (0.66 + 0.2 * view.down)
        centre = away * math.cos(angle), away * math.sin(angle)
        shape = blob(view.x, view.y, centre, (size * 1.25, size * 0.85), angle)
        cover(canvas, edge(shape + 0.9 * fine, view.soft) * room, flesh)
