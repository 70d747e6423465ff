"""Planes of voxels as one grid: their order, the grid, and how far each lies from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from src_core.cases.grid import RAS_TO_LPS, Grid
from src_core.errors import InputError
from src_core.io.dicom.planes import PlaneHeader

__all__ = ["Stack", "stack_planes"]

#: Of a slice's distance or of a pixel, how far a plane may lie from its place in the grid.
_AWAY = 0.1
#: Of a pixel over the whole stack: less is due to rounded positions.
_LEANS = 0.05
_SAME_MM = 1e-3
_SAME_DIRECTION = 1e-3
_SAME_SPACING = 1e-4


@dataclass(frozen=True)
class Stack:
    """Planes in the order of a grid.

    Attributes:
        planes: for each slice its planes, one a frame of time; none in a gap of labels.
        grid: where voxels lie.
    """

    planes: tuple[tuple[PlaneHeader, ...], ...]
    grid: Grid


def stack_planes(planes: Sequence[PlaneHeader], where: str, *, gaps: bool = False) -> Stack:
    """Order planes along their normal.

    A uniform shift from slice to slice, as a tilted gantry makes it, gives a sheared grid.

    Args:
        planes: at least one.
        where: the file or folder, for messages.
        gaps: whether slices may be missing, as in labels.

    Raises:
        InputError: they are of several sizes or directions, several lie at one place but not at
            all, or they are unevenly spaced.
    """
    first = planes[0]
    _check_alike(planes, where)
    if first.position is None:
        if len(planes) > 1:
            raise InputError(
                f"{len(planes)} slices have no position",
                where=where,
                expected="ImagePositionPatient in each",
                do="convert the series to .nii.gz (dcm2niix)",
            )
        return Stack(((first,),), _grid(first, np.zeros(3), _step(first), 1))
    ordered = sorted(planes, key=lambda plane: (_along(plane, first), plane.order, plane.frame))
    slices = _slices(ordered, first)
    _check_together(slices, first, where)
    places = np.array([one[0].position for one in slices])
    numbers = _numbered(places, first, where) if gaps else np.arange(len(slices))
    step = _step(first) if len(slices) == 1 else (places[-1] - places[0]) / numbers[-1]
    step = _straight(step, int(numbers[-1]), first)
    _check_places(places, numbers, step, first, where)
    _check_frames(slices, where, gaps)
    found = dict(zip(numbers.tolist(), slices, strict=True))
    stack = tuple(tuple(found.get(number, ())) for number in range(int(numbers[-1]) + 1))
    return Stack(stack, _grid(first, places[0], step, len(stack)))


def _along(plane: PlaneHeader, first: PlaneHeader) -> float:
    """Distance along the normal, rounded so that the planes of one place stay together."""
    moved = np.subtract(plane.position, first.position)  # type: ignore[arg-type]
    return round(float(moved @ first.normal), 3)


def _slices(ordered: Sequence[PlaneHeader], first: PlaneHeader) -> list[list[PlaneHeader]]:
    return [list(group) for _, group in groupby(ordered, key=lambda plane: _along(plane, first))]


def _step(plane: PlaneHeader) -> NDArray[np.float64]:
    return np.asarray(plane.normal * (plane.thickness or 1.0))


def _straight(step: NDArray[np.float64], count: int, plane: PlaneHeader) -> NDArray[np.float64]:
    """A step along the normal, where rounded positions alone make it lean."""
    along = plane.normal * (step @ plane.normal)
    leans = np.linalg.norm(step - along) * count > _LEANS * min(plane.spacing)
    return step if leans else np.asarray(along)


def _grid(
    plane: PlaneHeader, origin: NDArray[np.float64], step: NDArray[np.float64], count: int
) -> Grid:
    affine = np.eye(4)
    along, down = np.asarray(plane.axes) * np.asarray(plane.spacing)[:, None]
    affine[:3] = RAS_TO_LPS[:, None] * np.stack([along, down, step, origin], axis=1)
    return Grid((*plane.shape, count), affine)


def _numbered(places: NDArray[np.float64], first: PlaneHeader, where: str) -> NDArray[np.int64]:
    """Numbers of slices of which some may be missing, from 0."""
    if len(places) == 1:
        return np.zeros(1, dtype=np.int64)
    along = (places - places[0]) @ first.normal
    step = min(np.diff(along).min(), first.thickness or np.inf)
    return np.rint(along / step).astype(np.int64)


def _check_alike(planes: Sequence[PlaneHeader], where: str) -> None:
    """One size, direction and spacing for all."""
    first, axes = planes[0], np.asarray(planes[0].axes)
    for plane in planes[1:]:
        if plane.shape != first.shape:
            problem = f"slices are {_size(plane)} and {_size(first)}"
        elif not np.allclose(plane.axes, axes, atol=_SAME_DIRECTION):
            problem = "slices have several directions"
        elif not np.allclose(plane.spacing, first.spacing, rtol=_SAME_SPACING):
            problem = "slices have several spacings"
        elif (plane.position is None) != (first.position is None):
            problem = "some slices have no position"
        else:
            continue
        raise InputError(
            problem,
            where=where,
            expected="one stack of parallel slices",
            do="move each stack (a localizer's too) into a folder of its own",
        )


def _check_together(
    slices: Sequence[Sequence[PlaneHeader]], first: PlaneHeader, where: str
) -> None:
    """Refuse planes at one height that lie beside each other: several stacks."""
    for one in slices:
        away = np.array([plane.position for plane in one]) - np.asarray(one[0].position)
        across = np.abs(away @ np.asarray(first.axes).T) / first.spacing
        if across.max() > _AWAY:
            raise InputError(
                f"planes at one height lie {np.linalg.norm(away, axis=1).max():.3g} mm apart",
                where=where,
                expected="one stack of slices",
                do="export each stack, or each segment, into a file of its own",
            )


def _check_frames(slices: Sequence[Sequence[PlaneHeader]], where: str, gaps: bool) -> None:
    counts = {len(one) for one in slices}
    if len(counts) == 1 or gaps:
        return
    raise InputError(
        f"{sum(map(len, slices))} slices lie at {len(slices)} places",
        where=where,
        expected="as many at each place",
        do="convert the series to .nii.gz (dcm2niix)",
    )


def _check_places(
    places: NDArray[np.float64],
    numbers: NDArray[np.int64],
    step: NDArray[np.float64],
    first: PlaneHeader,
    where: str,
) -> None:
    """Refuse planes that lie elsewhere than the grid has them."""
    away = places - places[0] - numbers[:, None] * step
    across = np.abs(away @ np.asarray(first.axes).T) / first.spacing
    along = np.abs(away @ first.normal) / max(abs(step @ first.normal), _SAME_MM)
    if max(across.max(), along.max()) <= _AWAY:
        return
    steps = np.linalg.norm(np.diff(places, axis=0), axis=1)
    uneven = along.max() > _AWAY
    raise InputError(
        f"the slices lie {steps.min():.3g} to {steps.max():.3g} mm apart"
        if uneven
        else f"slices are shifted sideways by up to {np.linalg.norm(away, axis=1).max():.3g} mm",
        where=where,
        expected="an even series without missing slices",
        do="complete it, or convert it to .nii.gz",
    )


def _size(plane: PlaneHeader) -> str:
    return " x ".join(map(str, plane.shape))
