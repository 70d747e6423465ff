"""The beating heart as closed curves round the axis of the left ventricle.

In a short-axis plane at depth z (mm from the base) and time t every border is a radius over the
angle: ``r_endo = a(z) s(t) e(angle)``, ``r_epi^2 = r_endo^2 + m(angle, z)``: whatever the cavity
does, each sector of the wall keeps its area, so muscle is incompressible. The right ventricle is
what a rounded polygon, ``(sum (cos(angle - n) / d)^p)^(-1/p)`` over its sides with normal n and
distance d, leaves outside ``r_epi``. Areas are integrals over the angle alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from src_core.phantom.brush import smoothstep

__all__ = ["ANGLES", "Contours", "Curve", "Heart", "contraction", "volumes_ml"]

ANGLES = 2048
Curve = NDArray[np.float64]
_TURN = np.linspace(-np.pi, np.pi, ANGLES, endpoint=False)
_END_SYSTOLE = 0.4
_PLANES = 160
_BLUNT = 3.1


@dataclass(frozen=True)
class Contours:
    """Borders of one plane at one moment: radii over the angle, (ANGLES,) float64, mm."""

    endo: Curve
    epi: Curve
    rv: Curve


@dataclass(frozen=True)
class Heart:
    """Size, shape and motion of one heart, lengths in mm, angles in radians.

    Attributes:
        centre: of the ventricle's axis at mid height, in the plane.
        lean: shift of the axis in the plane for each mm towards the apex.
        length: from base to the outer apex.
        radius: of the cavity at the base in end-diastole.
        wall: thickness in end-diastole.
        ejection: share of the cavity that leaves, 0 to 1.
        rv_depth: of the right ventricle at the base.
        rv_ejection: share of that depth lost in end-systole.
        rv_turn: direction of the right ventricle.
        rv_sides: directions of its front, upper and lower wall, from ``rv_turn``.
        rv_corners: power of its polygon, rounder the smaller.
        lumps: amplitudes and phases of the 2nd to 4th harmonic of the outline, (3, 2).
        septum: extra wall thickness towards the septum, mm.
    """

    centre: tuple[float, float]
    lean: tuple[float, float]
    length: float
    radius: float
    wall: float
    ejection: float
    rv_depth: float
    rv_ejection: float
    rv_turn: float
    rv_sides: tuple[float, float, float]
    rv_corners: float
    lumps: tuple[tuple[float, float], ...]
    septum: float

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Heart:
        """An adult heart within normal limits."""
        u = rng.uniform
        sizes = zip((0.035, 0.018, 0.01), rng.uniform(-np.pi, np.pi, 3), strict=True)
        return cls(
            centre=(u(-6, 10), u(-14, 2)),
            lean=(u(-0.1, 0.05), u(0.0, 0.18)),
            length=u(81, 87),
            radius=u(23.5, 28),
            wall=u(7.5, 10),
            ejection=u(0.54, 0.68),
            rv_depth=u(42, 50),
            rv_ejection=u(0.38, 0.48),
            rv_turn=np.pi + u(-0.3, 0.25),
            rv_sides=(u(-0.15, 0.25), u(1.25, 1.65), u(1.55, 1.8)),
            rv_corners=u(2.7, 3.7),
            lumps=tuple((a * u(0.3, 1), p) for a, p in sizes),
            septum=u(0.3, 1.6),
        )

    def axis(self, z: float, squeeze: float) -> tuple[float, float]:
        """Where the plane at ``z`` cuts the axis, mm; it drifts to the septum in systole."""
        away = z - self.length / 2
        x = self.centre[0] + self.lean[0] * away - 2.0 * squeeze
        return x, self.centre[1] + self.lean[1] * away + 1.5 * squeeze

    def contours(self, z: float, squeeze: float) -> Contours:
        """Borders in the plane ``z`` mm below the base, at a contraction of 0 to 1."""
        outline = self._outline
        inner = self.radius * _taper(z / (self.length - 0.4 * self.wall), _BLUNT)
        taper = _taper(z / self.length, _BLUNT)
        outer = (self.radius + self.wall) * taper
        muscle = (outer * outline + self._septal * taper) ** 2 - (inner * outline) ** 2
        endo = inner * outline * np.sqrt(1 - self.ejection * squeeze)
        epi = np.sqrt(endo**2 + muscle)
        return Contours(endo, epi, epi + self._right(z, squeeze, epi))

    def _right(self, z: float, squeeze: float, epi: Curve) -> Curve:
        """Depth of the right ventricle, (ANGLES,); where it would be a sliver there is none."""
        below, size, power = z / self.length, float(epi.mean()), self.rv_corners
        deep = self.rv_depth * _taper(below / 0.84, 1.9) * (1 - self.rv_ejection * squeeze)
        if deep == 0:
            return np.zeros_like(epi)
        away = (size + deep, size * (1 - 0.4 * below), size * (0.95 - 0.3 * below), 0.4 * size)
        walls = sum(w / d**power for w, d in zip(self._sides, away, strict=True))
        room = np.clip(walls ** (-1 / power) - epi - 3, 0, None) * self._facing * deep / (deep + 2)
        return np.asarray(np.sqrt(room * (room + 6)))

    @cached_property
    def _sides(self) -> tuple[Curve, ...]:
        """``cos^p`` between each angle and each wall of the right ventricle."""
        skew, above, under = self.rv_sides
        turns = (_TURN - self.rv_turn - n for n in (skew, above, -under, np.pi))
        return tuple(np.clip(np.cos(t), 1e-4, None) ** self.rv_corners for t in turns)

    @cached_property
    def _facing(self) -> Curve:
        return np.asarray(smoothstep(np.cos(_TURN - self.rv_turn), -0.25, 0.1))

    @cached_property
    def _outline(self) -> Curve:
        waves = [a * np.cos(n * _TURN + p) for n, (a, p) in enumerate(self.lumps, start=2)]
        return np.asarray(1 + sum(waves))

    @cached_property
    def _septal(self) -> Curve:
        return np.asarray(self.septum * (0.5 + 0.5 * np.cos(_TURN - self.rv_turn)))


def _taper(depth: float, power: float) -> float:
    """Radius along the axis relative to the base: 1 at depth 0, round to 0 at depth 1."""
    return float(np.sqrt(max(1 - max(depth, 0.0) ** power, 0.0)))


def contraction(time: float) -> float:
    """How far the heart has contracted at a part of the cycle: 0 at 0 and 1, 1 at 0.4.

    Ejection, early filling, a pause, and the atrial kick; continuous with its slope.
    """
    time = time % 1.0
    if time < _END_SYSTOLE:
        return float(smoothstep(time, 0.0, _END_SYSTOLE))
    rest = (time - _END_SYSTOLE) / (1 - _END_SYSTOLE)
    return 1 - float(0.74 * smoothstep(rest, 0.0, 0.55) + 0.26 * smoothstep(rest, 0.6, 1.0))


def volumes_ml(heart: Heart, squeezes: Curve, stack: tuple[float, float]) -> dict[int, Curve]:
    """Volumes of RV (1), myocardium (2) and LV cavity (3) in ml at each contraction, (T,).

    Args:
        heart: what beats.
        squeezes: (T,), contraction at each phase.
        stack: first and last depth covered by the slices, mm from the base.
    """
    step = (stack[1] - stack[0]) / _PLANES
    planes = stack[0] + step * (np.arange(_PLANES) + 0.5)
    sums = np.array([[_areas(heart.contours(z, s)) for z in planes] for s in squeezes])
    totals = sums.sum(axis=1) * step / 1000
    return {label: totals[:, label - 1] for label in (1, 2, 3)}


def _areas(curves: Contours) -> tuple[float, float, float]:
    """Areas of RV, myocardium and cavity, mm^2: half the integral of r^2 over the angle."""
    endo, epi, rv = (np.pi * np.mean(r**2) for r in (curves.endo, curves.epi, curves.rv))
    return float(rv - epi), float(epi - endo), float(endo)
