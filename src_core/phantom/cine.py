"""The whole examination: a beating heart in a chest, as a scanner acquires it.

Every plane is the chest with the heart painted over it, then acquired. One seed feeds
separate streams for the anatomy, the chest, the textures and the noise of each phase, so a single
phase is the same bits as that phase of the whole cine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from src_core.errors import ArgumentError
from src_core.phantom.beat import Muscle, paint_heart
from src_core.phantom.brush import Array
from src_core.phantom.chest import paint_chest
from src_core.phantom.heart import Heart, contraction, volumes_ml
from src_core.phantom.scanner import coil_field, store, window
from src_core.phantom.space import Space

if TYPE_CHECKING:
    from src_core.cases.case import Case

__all__ = ["Phantom", "cardiac_phantom", "phantom_case"]

_HEART, _CHEST, _MUSCLE, _COIL, _NOISE = range(5)
_MARGIN = 105.0


@dataclass(frozen=True)
class Phantom:
    """A synthetic short-axis cine and what is known about it.

    Attributes:
        image: (X, Y, Z, T) int16, scanner units, base first, end-diastole first.
        labels: (X, Y, Z, T) uint8: 1 right ventricle, 2 myocardium, 3 left ventricle's cavity
            with its papillary muscles.
        spacing: mm, of X, Y, Z.
        affine: (4, 4) float64, voxel to RAS mm; X runs to the left, Y to the back.
        volumes_ml: label to (T,) float64, integrated from the shapes and not from the voxels.
    """

    image: NDArray[np.int16]
    labels: NDArray[np.uint8]
    spacing: tuple[float, float, float]
    affine: NDArray[np.float64]
    volumes_ml: dict[int, NDArray[np.float64]]


def cardiac_phantom(
    seed: int = 0,
    *,
    slices: int = 10,
    phases: int = 20,
    shape: tuple[int, int] = (208, 240),
    spacing: tuple[float, float, float] = (1.4, 1.4, 8.0),
) -> Phantom:
    """A beating heart in a chest, as a balanced steady-state cine would show it.

    Args:
        seed: of anatomy, textures and noise; equal seeds give equal bits.
        slices: planes from the base to the apex; the middle of the heart where they are few.
        phases: of one heart beat; end-diastole is phase 0.
        shape: voxels in the plane, (X, Y).
        spacing: mm, of X, Y and between slices.

    Raises:
        ArgumentError: a negative seed, a count or a spacing that is not positive, a plane under
            16 voxels wide.
    """
    return _render(seed, slices, phases, range(phases), shape, spacing)


def phantom_case(seed: int = 0, phase: int | None = 0) -> Case:
    """The phantom as a case with labels.

    Args:
        seed: of the phantom.
        phase: 0 to 19 for one volume, 0 being end-diastole; None for the whole cine.
    """
    from src_core.cases.case import Case

    if phase is not None and not 0 <= phase < 20:
        raise ArgumentError(f"phantom_case() 'phase' must be 0 to 19 or None, got {phase}")
    chosen = range(20) if phase is None else (phase,)
    phantom = _render(seed, 10, 20, chosen, (208, 240), (1.4, 1.4, 8.0))
    image, labels = phantom.image, phantom.labels
    if phase is not None:
        image, labels = image[..., 0], labels[..., 0]
    return Case.from_arrays(image, labels, affine=phantom.affine, name=f"phantom-{seed}")


def _render(
    seed: int,
    slices: int,
    phases: int,
    chosen: Sequence[int],
    shape: tuple[int, int],
    spacing: tuple[float, float, float],
) -> Phantom:
    _check(seed, slices, phases, shape, spacing)
    heart = Heart.draw(_generator(seed, _HEART))
    top = max(0.0, (heart.length - slices * spacing[2]) / 2)
    depths = top + spacing[2] * (np.arange(slices, dtype=np.float64) + 0.5)
    squeezes = np.array([contraction(phase / phases) for phase in chosen])
    image, labels = _Scene(seed, heart, depths, shape, spacing).render(chosen, squeezes)
    stack = (top, top + slices * spacing[2])
    return Phantom(
        image, labels, spacing, _affine(shape, depths, spacing), volumes_ml(heart, squeezes, stack)
    )


class _Scene:
    """What does not change over the phases of one phantom; ``render`` makes the images."""

    def __init__(
        self,
        seed: int,
        heart: Heart,
        depths: NDArray[np.float64],
        shape: tuple[int, int],
        spacing: tuple[float, float, float],
    ) -> None:
        self.seed, self.heart, self.depths, self.thick = seed, heart, depths, spacing[2]
        self.x, self.y = (
            ((np.arange(n) - (n - 1) / 2) * h).astype(np.float32)
            for n, h in zip(shape, spacing[:2], strict=True)
        )
        grid = (len(depths), shape[1], shape[0])
        space = Space.of(grid, spacing[::-1], depths, heart.length, _generator(seed, _CHEST))
        self.chest = paint_chest(space, heart)
        self.muscle = Muscle.draw(_generator(seed, _MUSCLE), len(depths), heart)
        self.coil = coil_field(self.x[None, :], self.y[:, None], _generator(seed, _COIL))
        self.keep = window(grid[1:])

    def render(
        self, chosen: Sequence[int], squeezes: NDArray[np.float64]
    ) -> tuple[NDArray[np.int16], NDArray[np.uint8]]:
        """Image and labels, both (X, Y, Z, T), in the memory order of NIfTI."""
        image = np.zeros((len(chosen), *self.chest.shape), np.int16)
        labels = np.zeros(image.shape, np.uint8)
        for i, (phase, squeeze) in enumerate(zip(chosen, squeezes, strict=True)):
            noise = _generator(self.seed, _NOISE, phase)
            for k in range(len(self.depths)):
                canvas = self.chest[k].copy()
                self._paint(canvas, labels[i, k], k, float(squeeze))
                image[i, k] = store(canvas * self.coil, self.keep, noise)
        return image.T, labels.T

    def _paint(self, canvas: Array, labels: NDArray[np.uint8], k: int, squeeze: float) -> None:
        """Paint plane ``k`` of the heart and its labels, both in place."""
        cx, cy = self.heart.axis(float(self.depths[k]), squeeze)
        across, along = _near(self.x, cx), _near(self.y, cy)
        x, y = self.x[across][None, :] - np.float32(cx), self.y[along][:, None] - np.float32(cy)
        plane = (k, float(self.depths[k]), self.thick)
        labels[along, across] = paint_heart(
            canvas[along, across], x, y, self.muscle, self.heart, plane, squeeze
        )


def _near(positions: Array, centre: float) -> slice:
    """Voxels within reach of the heart along one axis."""
    low, high = np.searchsorted(positions, (centre - _MARGIN, centre + _MARGIN))
    return slice(int(low), int(high))


def _generator(seed: int, *stream: int) -> np.random.Generator:
    return np.random.default_rng([seed, *stream])


def _affine(
    shape: tuple[int, int], depths: NDArray[np.float64], spacing: tuple[float, float, float]
) -> NDArray[np.float64]:
    """Voxel to RAS mm with the middle of the volume at the origin; X to L, Y to P, Z to S."""
    affine = np.diag([-spacing[0], -spacing[1], spacing[2], 1.0])
    middle = (np.array([*shape, len(depths)]) - 1) / 2
    affine[:3, 3] = -affine[:3, :3] @ middle
    return affine


def _check(
    seed: int,
    slices: int,
    phases: int,
    shape: tuple[int, int],
    spacing: tuple[float, float, float],
) -> None:
    rules = {
        "seed": (seed >= 0, "0 or more", seed),
        "slices": (slices >= 1, "1 or more", slices),
        "phases": (phases >= 1, "1 or more", phases),
        "shape": (len(shape) == 2 and min(shape) >= 16, "(X, Y) of 16 or more", tuple(shape)),
        "spacing": (
            len(spacing) == 3 and all(0 < step < np.inf for step in spacing),
            "three positive mm",
            tuple(spacing),
        ),
    }
    for name, (holds, expected, given) in rules.items():
        if not holds:
            raise ArgumentError(f"cardiac_phantom() '{name}' must be {expected}, got {given}")
