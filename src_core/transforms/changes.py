"""A pose and intensities drawn beside a deformation, in one draw of the caller's random numbers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

from src_core.generation.drawn import draw_intensities, draw_pose
from src_core.generation.intensities import Intensities, parse_intensities
from src_core.generation.pose import Pose, parse_pose
from src_core.transforms.deformation import Deformation
from src_core.transforms.scan import Below

__all__ = ["RandomChanges"]

_SEEDS = 2**31

# a training loop gives the same text with every image
_pose, _intensities = lru_cache(64)(parse_pose), lru_cache(64)(parse_intensities)


@dataclass(frozen=True)
class RandomChanges:
    """What a transform draws besides the deformation; by default nothing.

    Attributes:
        pose: ranges; None for none.
        intensities: ranges; None for none.
    """

    pose: Pose | None = None
    intensities: Intensities | None = None

    @classmethod
    def of(cls, pose: Pose | str | None, intensities: Intensities | str | None) -> RandomChanges:
        """Of ranges, or of their text, such as ``small``.

        Raises:
            InputError: a text that cannot be read.
        """
        return cls(
            _pose(pose) if isinstance(pose, str) else pose,
            _intensities(intensities) if isinstance(intensities, str) else intensities,
        )

    def drawn(self, deformation: Deformation, below: Below, channels: int) -> Deformation:
        """A deformation with a pose and intensities; ``below`` gives the seed of both.

        Args:
            deformation: without them.
            below: the caller's random numbers, which are left alone where nothing is drawn.
            channels: of all images whose intensities change.
        """
        if self.pose is None and self.intensities is None:
            return deformation
        seed = below(_SEEDS)
        if self.pose is not None:
            pose = draw_pose(self.pose, seed, deformation.axis)
            deformation = replace(deformation, pose=pose)
        if self.intensities is not None:
            looks = draw_intensities(self.intensities, seed, channels)
            deformation = replace(deformation, intensities=looks)
        return deformation
