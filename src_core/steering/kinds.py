"""What a new anatomy is to be, as values: sizes, walls, shapes, places, points, still regions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from src_core.steering.amounts import Amount, Tolerance, number_text

__all__ = [
    "DrawnShapeTarget",
    "HoldTarget",
    "LargestTarget",
    "PlaceTarget",
    "PointTarget",
    "RatioTarget",
    "ShapeMeasure",
    "ShapeTarget",
    "SizeTarget",
    "StillTarget",
    "Target",
    "ThicknessTarget",
    "Three",
]

Three = tuple[float, float, float]
ShapeMeasure = Literal["roundness", "elongation", "orientation"]

_TWO_PERCENT, _HALF_MM = Tolerance(2, "%"), Tolerance(0.5, "mm")
_FIFTIETH, _TWENTIETH = Tolerance(0.02), Tolerance(0.05)


@dataclass(frozen=True, kw_only=True)
class Target:
    """What every target has.

    Attributes:
        tolerance: how far from what is asked for is near enough.
        weight: beside other targets that cannot all be reached, 1 for most.
    """

    tolerance: Tolerance
    weight: float = 1.0

    @property
    def words(self) -> str:
        """The target as text, without tolerance and weight."""
        raise NotImplementedError

    @property
    def labels(self) -> tuple[int, ...]:
        """Labels that have to be there."""
        return ()


@dataclass(frozen=True)
class SizeTarget(Target):
    """Size of a label: volume in ml, or area in mm2, the mean over the slices it is in."""

    label: int
    amount: Amount
    area: bool = False
    tolerance: Tolerance = field(default=_TWO_PERCENT, kw_only=True)

    @property
    def words(self) -> str:
        """The target as text."""
        return f"{'area' if self.area else 'volume'} {self.label} {self.amount}"

    @property
    def labels(self) -> tuple[int, ...]:
        """Labels that have to be there."""
        return (self.label,)


@dataclass(frozen=True)
class RatioTarget(Target):
    """Size of a label by that of another, such as wall by cavity."""

    label: int
    other: int
    amount: Amount
    tolerance: Tolerance = field(default=_TWO_PERCENT, kw_only=True)

    @property
    def words(self) -> str:
        """The target as text."""
        return f"ratio {self.label}/{self.other} {self.amount}"

    @property
    def labels(self) -> tuple[int, ...]:
        """Labels that have to be there."""
        return self.label, self.other


@dataclass(frozen=True)
class ThicknessTarget(Target):
    """Thickness of a wall, mm: a label around the label that it encloses."""

    label: int
    amount: Amount
    tolerance: Tolerance = field(default=_HALF_MM, kw_only=True)

    @property
    def words(self) -> str:
        """The target as text."""
        return f"thickness {self.label} {self.amount}"

    @property
    def labels(self) -> tuple[int, ...]:
        """Labels that have to be there."""
        return (self.label,)


@dataclass(frozen=True)
class ShapeTarget(Target):
    """Shape of a label, by the axes of the ellipse (ellipsoid) of the same second moments.

    ``roundness`` is the shortest by the longest, ``elongation`` the logarithm of the longest by the
    shortest, ``orientation`` the direction of the longest in the plane of the slices, degrees.
    """

    measure: ShapeMeasure
    label: int
    amount: Amount
    tolerance: Tolerance = field(default=_FIFTIETH, kw_only=True)

    @property
    def words(self) -> str:
        """The target as text."""
        return f"{self.measure} {self.label} {self.amount}"

    @property
    def labels(self) -> tuple[int, ...]:
        """Labels that have to be there."""
        return (self.label,)


@dataclass(frozen=True)
class PlaceTarget(Target):
    """Shift of a label's centre, LPS mm."""

    label: int
    shift: Three
    tolerance: Tolerance = field(default=_HALF_MM, kw_only=True)

    @property
    def words(self) -> str:
        """The target as text."""
        signed = ",".join(("+" if mm > 0 else "") + number_text(mm) for mm in self.shift)
        return f"place {self.label} {signed} mm"

    @property
    def labels(self) -> tuple[int, ...]:
        """Labels that have to be there."""
        return (self.label,)


@dataclass(frozen=True)
class PointTarget(Target):
    """A point of the source anatomy, and where it is to be in the new one: LPS mm of the world."""

    start: Three
    end: Three
    tolerance: Tolerance = field(default=_HALF_MM, kw_only=True)

    @property
    def words(self) -> str:
        """The target as text."""
        start, end = (",".join(map(number_text, point)) for point in (self.start, self.end))
        return f"point {start} -> {end}"


@dataclass(frozen=True)
class StillTarget(Target):
    """A box that does not move: first and past-last voxel along X, Y and Z."""

    region: tuple[tuple[int, int], tuple[int, int], tuple[int, int]]
    tolerance: Tolerance = field(default=_HALF_MM, kw_only=True)

    @property
    def words(self) -> str:
        """The target as text."""
        return "still " + ",".join(f"{low}:{high}" for low, high in self.region)


@dataclass(frozen=True)
class LargestTarget(Target):
    """The largest displacement that is possible, mm."""

    mm: float
    tolerance: Tolerance = field(default=_HALF_MM, kw_only=True)

    @property
    def words(self) -> str:
        """The target as text."""
        return f"largest {number_text(self.mm)} mm"


@dataclass(frozen=True)
class DrawnShapeTarget(Target):
    """A label as drawn in a label map on the case's grid; compared by Dice."""

    label: int
    file: str
    tolerance: Tolerance = field(default=_TWENTIETH, kw_only=True)

    @property
    def words(self) -> str:
        """The target as text."""
        return f"shape {self.label} {self.file}"

    @property
    def labels(self) -> tuple[int, ...]:
        """Labels that have to be there."""
        return (self.label,)


@dataclass(frozen=True)
class HoldTarget(Target):
    """A label that keeps its size, within the tolerance, and its place, within 0.5 mm."""

    label: int
    tolerance: Tolerance = field(default=_TWO_PERCENT, kw_only=True)

    @property
    def words(self) -> str:
        """The target as text."""
        return f"hold {self.label}"

    @property
    def labels(self) -> tuple[int, ...]:
        """Labels that have to be there."""
        return (self.label,)
