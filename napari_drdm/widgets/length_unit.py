"""A unit of length with its area and volume, as figures are shown in."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["MM", "PX", "LengthUnit"]


@dataclass(frozen=True)
class LengthUnit:
    """A unit of length; the engine counts a pixel without a spacing as 1 mm, so values agree.

    Attributes:
        name: of lengths.
        area: of areas.
        volume: of volumes.
        per_ml: volumes in that unit in 1 ml (of 1,000 mm³).
    """

    name: str
    area: str
    volume: str
    per_ml: float

    @property
    def known(self) -> bool:
        """Whether a spacing is known."""
        return self is MM


MM = LengthUnit("mm", "mm²", "ml", 1.0)
PX = LengthUnit("px", "px²", "voxels", 1000.0)
