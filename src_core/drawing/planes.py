"""Which slices of a case are drawn, and which way up.

Pictures are in the radiological convention, by the anatomical axis nearest to each voxel axis: the
patient's right, or front, is on the left; the front, or the head, is on top. Images that state no
orientation are drawn as they are stored: first axis across, second down.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from nibabel.orientations import io_orientation
from numpy.typing import NDArray

from src_core.cases.case import Case
from src_core.cases.grid import Grid
from src_core.errors import InputError
from src_core.io.formats import is_picture

__all__ = [
    "DrawnPlane",
    "PlaneChoice",
    "choose_planes",
    "cropped",
    "length_unit",
    "orientation_text",
]

PlaneChoice = Literal["auto", "slice", "three"]

#: Both ends of the anatomical axes R, A, S: what is at the left or top of a picture first.
_ENDS = (("R", "L"), ("A", "P"), ("S", "I"))
#: Spacing along slices, as a factor of that within them, from which other planes show steps.
_THICK = 1.5
#: What a crop leaves around labels, as a share of their longer side, on each side.
_MARGIN = 0.5


@dataclass(frozen=True)
class DrawnPlane:
    """A slice as it is drawn.

    Attributes:
        axis: voxel axis that slices are counted along.
        index: of the slice.
        across: voxel axis that runs across the picture.
        down: voxel axis that runs down.
        flipped: whether across and down run against their voxel axis.
        spacing: mm between pixels across and down.
        box: first and past-last voxel across and down.
        ends: anatomical directions at the left, right, top and bottom; empty where unknown.
    """

    axis: int
    index: int
    across: int
    down: int
    flipped: tuple[bool, bool]
    spacing: tuple[float, float]
    box: tuple[tuple[int, int], tuple[int, int]]
    ends: str = ""

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        (left, right), (top, bottom) = self.box
        return bottom - top, right - left

    @property
    def size(self) -> tuple[float, float]:
        """Width and height, mm."""
        rows, columns = self.shape
        return columns * self.spacing[0], rows * self.spacing[1]

    def values(self, data: NDArray[Any], frame: int = 0) -> NDArray[Any]:
        """(rows, columns) of (X, Y, Z) or (X, Y, Z, T), whose slice axis may be cut to one."""
        volume = data[..., min(frame, data.shape[3] - 1)] if data.ndim == 4 else data
        index = self.index if volume.shape[self.axis] > 1 else 0
        plane = np.take(volume, index, axis=self.axis)
        rows = plane if self.down < self.across else plane.T
        (left, right), (top, bottom) = self.box
        cut = rows[top:bottom, left:right]
        return cut[:: -1 if self.flipped[1] else 1, :: -1 if self.flipped[0] else 1]

    def vectors(self, voxels: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
        """Displacements (X, Y, Z, 3) in voxels -> mm to the right and down, (rows, columns)."""
        mm = [
            self.values(voxels[..., axis]) * step * (-1 if flipped else 1)
            for axis, step, flipped in zip(
                (self.across, self.down), self.spacing, self.flipped, strict=True
            )
        ]
        return mm[0], mm[1]


def choose_planes(
    case: Case, at: tuple[int, int, int] | None = None, planes: PlaneChoice = "auto"
) -> tuple[DrawnPlane, ...]:
    """The planes of a case: one slice of a stack, three through a volume.

    Args:
        case: whose planes.
        at: voxel that they pass through; by default the slices with most of the labels, or the
            middle ones.
        planes: ``auto`` is ``slice`` for single slices and for slices that are clearly thicker
            than their pixels, else ``three``.

    Raises:
        InputError: the voxel is outside the image, or a single slice has no three planes.
    """
    grid, thin = case.grid, min(case.grid.shape) < 2
    if at is not None and not all(0 <= i < n for i, n in zip(at, grid.shape, strict=True)):
        size = " x ".join(map(str, grid.shape))
        raise InputError(
            f"voxel {','.join(map(str, at))} is outside the image", option="at",
            expected=f"whole numbers inside {size} voxels",
        )  # fmt: skip
    if planes == "three" and thin:
        raise InputError(
            "a single slice has no three planes", where=case.name, option="planes",
            expected="slice, or a volume",
        )  # fmt: skip
    single = thin or _thick(grid) if planes == "auto" else planes == "slice"
    axes = (grid.slice_axis,) if single else _anatomical_order(case)
    return tuple(_plane(case, axis, at[axis] if at else _fullest(case, axis)) for axis in axes)


def cropped(planes: tuple[DrawnPlane, ...], case: Case) -> tuple[DrawnPlane, ...]:
    """The same planes around the labels of all slices and frames; whole where there are none."""
    labels = case.label_map
    if labels is None or not labels.any():
        return planes
    there = labels.any(axis=3) if labels.ndim == 4 else labels != 0
    ends = []
    for axis in range(3):
        others: Any = tuple(a for a in range(3) if a != axis)
        found = np.flatnonzero(there.any(axis=others))
        ends.append((int(found[0]), int(found[-1]) + 1))
    reach = [(end - start) * s for (start, end), s in zip(ends, case.grid.spacing, strict=True)]
    return tuple(_cropped(plane, ends, reach, case.grid.shape) for plane in planes)


def orientation_text(case: Case) -> str:
    """The convention that pictures of a case are in, as a sentence."""
    if not _oriented(case):
        return "The image states no orientation: first voxel axis across, second down."
    return (
        "Radiological convention: letters at the edges name the nearest anatomical direction "
        "(R, L: the patient's right, left; A, P: front, back; S, I: head, feet)."
    )


def length_unit(case: Case) -> str:
    """What lengths on a case are in: mm, or px of pictures and arrays whose spacing is unknown."""
    path, grid = case.images[0].path, case.grid
    filed = path is not None and not is_picture(path)
    return "mm" if filed or _oriented(case) or set(grid.spacing) != {1.0} else "px"


def _plane(case: Case, axis: int, index: int) -> DrawnPlane:
    grid = case.grid
    kept = [a for a in range(3) if a != axis]
    flipped, ends = (False, False), ""
    if _oriented(case):
        found = io_orientation(grid.affine).astype(int)
        kept.sort(key=lambda a: found[a, 0])
        flipped = bool(found[kept[0], 1] > 0), bool(found[kept[1], 1] > 0)
        ends = "".join(letter for a in kept for letter in _ENDS[found[a, 0]])
    across, down = kept
    box = (0, grid.shape[across]), (0, grid.shape[down])
    spacing = grid.spacing[across], grid.spacing[down]
    return DrawnPlane(axis, index, across, down, flipped, spacing, box, ends)


def _cropped(
    plane: DrawnPlane,
    ends: list[tuple[int, int]],
    reach: list[float],
    shape: tuple[int, int, int],
) -> DrawnPlane:
    """A square box, in mm, around the labels, moved into the image where it leaves it."""
    axes = plane.across, plane.down
    side = max(reach[axis] for axis in axes) * (1 + 2 * _MARGIN)
    box = []
    for axis, step in zip(axes, plane.spacing, strict=True):
        count = min(round(side / step), shape[axis])
        first = round((ends[axis][0] + ends[axis][1] - count) / 2)
        first = min(max(first, 0), shape[axis] - count)
        box.append((first, first + count))
    return replace(plane, box=(box[0], box[1]))


def _oriented(case: Case) -> bool:
    """Whether it is known which way the patient lies: not for pictures, nor for bare arrays."""
    path, grid = case.images[0].path, case.grid
    if path is not None and is_picture(path):
        return False
    bare = Grid.from_spacing(grid.shape, grid.spacing).affine
    return not np.allclose(grid.affine, bare, atol=1e-6)


def _thick(grid: Grid) -> bool:
    axis = grid.slice_axis
    return grid.spacing[axis] >= _THICK * max(s for a, s in enumerate(grid.spacing) if a != axis)


def _anatomical_order(case: Case) -> tuple[int, int, int]:
    """Voxel axes whose slices are axial, coronal and sagittal; the last to the first as stored."""
    if not _oriented(case):
        return 2, 1, 0
    found = io_orientation(case.grid.affine)[:, 0].astype(int).tolist()
    return found.index(2), found.index(1), found.index(0)


def _fullest(case: Case, axis: int) -> int:
    """Index of the slice with most of the labels in the first frame; else the middle one."""
    labels = case.label_map
    if labels is None:
        return case.grid.shape[axis] // 2
    first = labels[..., 0] if labels.ndim == 4 else labels
    counts = (first > 0).sum(axis=tuple(a for a in range(3) if a != axis))
    return int(counts.argmax()) if counts.any() else case.grid.shape[axis] // 2
