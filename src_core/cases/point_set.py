"""Points in space, of landmarks or of a surface, with the file they came from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from src_core.cases.grid import RAS_TO_LPS
from src_core.errors import ArgumentError

__all__ = ["Axes", "PointKind", "PointSet", "to_lps"]

#: Directions of the axes of coordinates.
Axes = Literal["LPS", "RAS"]
PointKind = Literal["points", "surface"]


@dataclass(frozen=True, eq=False)
class PointSet:
    """Points of one file.

    Args:
        positions: (N, 3), float64, LPS mm, whatever the file has.
        axes: those of the file's coordinates.
        kind: landmarks, or the vertices of a surface.
        path: the file.
        content: what else the file holds, as its format keeps it.
        normals: (N, 3), along LPS, where the file holds some.

    Raises:
        ArgumentError: the positions are not (N, 3) and finite.
    """

    positions: NDArray[np.float64]
    axes: Axes = "LPS"
    kind: PointKind = "points"
    path: Path | None = None
    content: Any = None
    normals: NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        positions = np.array(self.positions, dtype=np.float64)
        if positions.ndim != 2 or positions.shape[1] != 3 or not np.isfinite(positions).all():
            raise ArgumentError(
                f"PointSet() 'positions' must be (N, 3) and finite, got {positions.shape}"
            )
        positions.flags.writeable = False
        object.__setattr__(self, "positions", positions)

    @property
    def coordinates(self) -> NDArray[np.float64]:
        """(N, 3), mm, along the axes of the file."""
        return to_lps(self.positions, self.axes)

    def moved(self, positions: ArrayLike, normals: ArrayLike | None = None) -> PointSet:
        """The same at other positions, (N, 3), LPS mm, with other normals, (N, 3).

        Raises:
            ArgumentError: another number of them.
        """
        new = replace(
            self,
            positions=np.asarray(positions, dtype=np.float64),
            normals=None if normals is None else np.asarray(normals, dtype=np.float64),
        )
        if len(new.positions) != len(self.positions):
            raise ArgumentError(
                f"PointSet.moved() 'positions' must be {len(self.positions)}, "
                f"got {len(new.positions)}"
            )
        return new


def to_lps(coordinates: ArrayLike, axes: Axes) -> NDArray[np.float64]:
    """Coordinates (N, 3) along some axes as LPS, and the same way back."""
    given = np.asarray(coordinates, dtype=np.float64)
    return given.copy() if axes == "LPS" else given * RAS_TO_LPS
