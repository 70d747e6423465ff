"""What is drawn for a pose and for intensities: numbers, to record, to apply and to apply again.

They come from sub-seeds of a generation's seed, so that the field of a seed stays the same.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from src_core.cases.grid import RAS_TO_LPS, Grid
from src_core.diffusion.random_field import generator
from src_core.fields.posed import PoseMatrix
from src_core.generation.intensities import Intensities
from src_core.generation.pose import Pose

__all__ = ["DrawnIntensities", "DrawnPose", "draw_intensities", "draw_pose"]

# Sub-seeds; slices of a case have small numbers.
_POSE, _INTENSITIES = (int.from_bytes(word) for word in (b"pose", b"look"))
_AXES = "xyz"
_Three = tuple[float, float, float]


@dataclass(frozen=True)
class DrawnPose:
    """A pose: how the content of the image moves, about the centre of its grid.

    Attributes:
        rotation: degrees about the voxel axes X, Y, Z, first X and last Z.
        scale: size of the new content by that of the old.
        shift: mm along the voxel axes.
        flip: which voxel axes are flipped, before all else.
    """

    rotation: _Three = (0.0, 0.0, 0.0)
    scale: float = 1.0
    shift: _Three = (0.0, 0.0, 0.0)
    flip: tuple[bool, bool, bool] = (False, False, False)

    def matrix(self, grid: Grid, axis: int | None) -> PoseMatrix:
        """From a point of the new image to where its content comes from: (4, 4), LPS mm, as ITK.

        Args:
            grid: the image's.
            axis: the slice axis that nothing moves along, None in 3D.
        """
        frame = RAS_TO_LPS[:, None] * _frame(grid, axis)
        centre = RAS_TO_LPS * (grid.affine @ [*((n - 1) / 2 for n in grid.shape), 1.0])[:3]
        sizes = [1.0 if a == axis else self.scale for a in range(3)]
        content = _turn(self.rotation) @ np.diag(sizes) @ np.diag(1.0 - 2 * np.array(self.flip))
        back = frame @ np.linalg.inv(content) @ frame.T
        whole = np.eye(4)
        whole[:3, :3] = back
        whole[:3, 3] = centre - back @ (centre + frame @ np.array(self.shift))
        return whole

    @property
    def mirrored(self) -> bool:
        """Whether left and right are exchanged: an odd number of flips."""
        return sum(self.flip) % 2 == 1

    def numbers(self) -> NDArray[np.float64]:
        """(10,): rotation, scale, shift, flip."""
        return np.array([*self.rotation, self.scale, *self.shift, *self.flip])

    @classmethod
    def from_numbers(cls, numbers: Iterable[float]) -> DrawnPose:
        """The reverse of ``numbers``."""
        n = [float(number) for number in numbers]
        flip = (bool(n[7]), bool(n[8]), bool(n[9]))
        return cls((n[0], n[1], n[2]), n[3], (n[4], n[5], n[6]), flip)

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> DrawnPose:
        """Of a recipe's record; its matrix follows from the other numbers."""
        pose = [*record["rotation"], record["scale"], *record["shift"], *record["flip"]]
        return cls.from_numbers(pose)


@dataclass(frozen=True)
class DrawnIntensities:
    """Changes of one image's intensities, in the order they are made; by default none.

    Attributes:
        noise: standard deviation, in those of the image; 0 for none.
        noise_seed: of the noise.
        blur: standard deviation along X, Y, Z, voxels; 0 for none.
        brightness, contrast, resolution, inverted_gamma, gamma: factors and exponents; 1 for none.
        keeps_mean: whether gamma restores mean and standard deviation.
    """

    noise: float = 0.0
    noise_seed: int = 0
    blur: _Three = (0.0, 0.0, 0.0)
    brightness: float = 1.0
    contrast: float = 1.0
    resolution: float = 1.0
    inverted_gamma: float = 1.0
    gamma: float = 1.0
    keeps_mean: bool = True

    @property
    def changes(self) -> bool:
        """Whether anything is changed."""
        factors = (self.brightness, self.contrast, self.resolution, self.inverted_gamma, self.gamma)
        return bool(self.noise or any(self.blur) or any(factor != 1 for factor in factors))

    def numbers(self) -> NDArray[np.float64]:
        """(11,), in the order of the attributes."""
        factors = (self.brightness, self.contrast, self.resolution, self.inverted_gamma, self.gamma)
        whole = [self.noise, self.noise_seed, *self.blur, *factors, self.keeps_mean]
        return np.array(whole, dtype=np.float64)

    @classmethod
    def from_numbers(cls, numbers: Iterable[float]) -> DrawnIntensities:
        """The reverse of ``numbers``."""
        noise, seed, x, y, z, *factors, keeps = (float(number) for number in numbers)
        bright, contrast, coarse, inverted, gamma = factors
        blur = (x, y, z)
        return cls(noise, int(seed), blur, bright, contrast, coarse, inverted, gamma, bool(keeps))

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> DrawnIntensities:
        """Of a recipe's record."""
        return cls(**{**record, "blur": _three(record["blur"])})


def draw_pose(pose: Pose, seed: int, axis: int | None) -> DrawnPose:
    """A pose from ranges.

    Args:
        pose: the ranges.
        seed: of the generation.
        axis: the slice axis of a 2D model, None for a 3D one.
    """
    draw = _Draw(generator(seed, _POSE))
    most = pose.rotation_3d if axis is None else pose.rotation_2d
    turned, angles = draw.happens(pose.rotation_probability), draw.three(most)
    scaled, scale = draw.happens(pose.scale_probability), draw.between(*pose.scale)
    shifted, shift = draw.happens(pose.shift_probability), draw.three(pose.shift)
    flips = [draw.happens(pose.flip_probability) and a in pose.flip for a in _AXES]
    if axis is not None:
        angles = [angle if a == axis else 0.0 for a, angle in enumerate(angles)]
        shift = [0.0 if a == axis else mm for a, mm in enumerate(shift)]
        flips = [flip and a != axis for a, flip in enumerate(flips)]
    return DrawnPose(
        _three(angles) if turned else (0.0, 0.0, 0.0),
        scale if scaled else 1.0,
        _three(shift) if shifted else (0.0, 0.0, 0.0),
        (flips[0], flips[1], flips[2]),
    )


def draw_intensities(
    intensities: Intensities, seed: int, count: int
) -> tuple[DrawnIntensities, ...]:
    """Changes for ``count`` images of one case; which are made is drawn once for all of them."""
    draw = _Draw(generator(seed, _INTENSITIES))
    kinds = ("noise", "blur", "brightness", "contrast", "resolution", "inverted_gamma", "gamma")
    made = {k for k in kinds if draw.happens(getattr(intensities, f"{k}_probability"))}
    noise = draw.between(*intensities.noise)
    return tuple(
        _for_image(intensities, made, noise, _Draw(generator(seed, _INTENSITIES, 1 + number)))
        for number in range(count)
    )


def _for_image(asked: Intensities, made: set[str], noise: float, draw: _Draw) -> DrawnIntensities:
    noise_seed = draw.whole()
    blurred, blur = draw.happens(0.5), [draw.between(*asked.blur) for _ in range(3)]
    coarse, resolution = draw.happens(0.5), draw.between(*asked.resolution)
    names = ("brightness", "contrast", "inverted_gamma", "gamma")
    drawn = {name: draw.about_one(*getattr(asked, name)) for name in names}
    factors = {name: value if name in made else 1.0 for name, value in drawn.items()}
    return DrawnIntensities(
        noise=noise if "noise" in made else 0.0,
        noise_seed=noise_seed,
        blur=_three(blur) if "blur" in made and blurred else (0.0, 0.0, 0.0),
        resolution=resolution if "resolution" in made and coarse else 1.0,
        keeps_mean=asked.gamma_keeps_mean,
        **factors,
    )


class _Draw:
    """Numbers of one generator; each call takes as many, whatever the ranges are."""

    def __init__(self, source: torch.Generator) -> None:
        self._source = source

    def between(self, low: float, high: float) -> float:
        share = float(torch.rand(1, generator=self._source, dtype=torch.float64))
        return low + (high - low) * share

    def happens(self, probability: float) -> bool:
        return self.between(0, 1) < probability

    def three(self, most: float) -> list[float]:
        return [self.between(-most, most) for _ in range(3)]

    def about_one(self, low: float, high: float) -> float:
        """Below 1 as often as above, where the range has both."""
        below, share = self.happens(0.5), self.between(0, 1)
        ends = (low, min(high, 1.0)) if (below and low < 1) or high <= 1 else (max(low, 1.0), high)
        return ends[0] + (ends[1] - ends[0]) * share

    def whole(self) -> int:
        return int(torch.randint(2**31, (1,), generator=self._source))


def _three(values: Iterable[float]) -> _Three:
    x, y, z = values
    return x, y, z


def _turn(degrees: _Three) -> NDArray[np.float64]:
    """Rotation about X, then Y, then Z."""
    whole = np.eye(3)
    for axis, angle in enumerate(degrees):
        if not angle:
            continue
        c, s = math.cos(math.radians(angle)), math.sin(math.radians(angle))
        one, other = [(axis + 1) % 3, (axis + 2) % 3]
        turn = np.eye(3)
        turn[one, one], turn[one, other], turn[other, one], turn[other, other] = c, -s, s, c
        whole = turn @ whole
    return whole


@lru_cache(maxsize=64)  # of a grid that many poses are drawn for
def _frame(grid: Grid, axis: int | None) -> NDArray[np.float64]:
    """Unit vectors along the voxel axes as columns, RAS, at right angles even where those are not.

    The slice plane comes first: what turns in it stays in it.
    """
    order = [a for a in range(3) if a != axis] + ([] if axis is None else [axis])
    q, r = np.linalg.qr(grid.direction[:, order])
    frame = np.empty((3, 3))
    frame[:, order] = q * np.sign(np.diag(r))
    frame.flags.writeable = False
    return frame
