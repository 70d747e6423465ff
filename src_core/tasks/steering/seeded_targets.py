"""Shifts and drags in a direction that is decided by case and seed, as targets of one case."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from src_core.cases.grid import RAS_TO_LPS, Grid
from src_core.steering.amounts import number_text
from src_core.steering.targets import Target, parse_target
from src_core.tasks.steering.target_sets import SeededForm, TargetSet

__all__ = ["targets_of"]

Array = NDArray[np.float64]


def targets_of(
    wanted: TargetSet,
    labels: NDArray[np.integer],
    grid: Grid,
    axis: int | None,
    walls: Mapping[int, int],
    seed: int,
    name: str,
) -> tuple[Target, ...]:
    """The targets of a set for one case and seed.

    Args:
        wanted: the set.
        labels: (X, Y, Z), of the case.
        grid: of the case.
        axis: the slice axis, along which nothing moves; None in 3D.
        walls: wall -> the label that it encloses, whose common outline is dragged.
        seed: with the case's ``name`` it decides directions.
        name: of the case.
    """
    found: list[Target] = []
    for part in wanted.parts:
        if isinstance(part, Target):
            found.append(part)
            continue
        along = _directions(grid, axis, f"{seed}/{name}/{wanted.words}")
        if part.kind == "place":
            shift = ",".join(f"{mm:+.3f}" for mm in part.mm * along[0])
            found.append(parse_target(f"place {part.label} {shift} mm"))
        else:
            region = [part.label, walls.get(part.label, part.label)]
            found += _drag(part, np.isin(labels, region), grid, along)
    return tuple(found)


def _directions(grid: Grid, axis: int | None, text: str) -> Array:
    """Four unit vectors in LPS: one drawn, its opposite, and two across it; (4, 3)."""
    digest = hashlib.sha256(text.encode()).digest()
    rng = np.random.default_rng(int.from_bytes(digest[:8], "big"))
    moved = [a for a in range(3) if a != axis]
    # in the plane of the slices the two axes, else all three, made orthonormal
    basis = np.linalg.qr((RAS_TO_LPS[:, None] * grid.direction)[:, moved])[0].T
    inside = rng.normal(size=len(moved))
    first = inside / np.linalg.norm(inside)
    other = np.linalg.qr(np.stack([first, rng.normal(size=len(moved))], 1))[0][:, 1]
    return np.asarray(np.stack([first, -first, other, -other]) @ basis)


def _drag(form: SeededForm, mask: NDArray[np.bool_], grid: Grid, along: Array) -> list[Target]:
    """A point of a region's outline that is pulled outwards, and three that stay."""
    rim = np.argwhere(mask & ~ndimage.binary_erosion(mask, _neighbours(grid, mask.shape)))
    centre = np.argwhere(mask).mean(axis=0)
    offsets = grid.to_lps_mm(rim - centre)
    lengths = np.linalg.norm(offsets, axis=1).clip(1e-9)
    chosen = [int(np.argmax(offsets @ d / lengths)) for d in along]
    points = [RAS_TO_LPS * (grid.affine @ [*rim[i], 1.0])[:3] for i in chosen]
    ends = [points[0] + form.mm * along[0], *points[1:]]
    texts = {
        f"point {_text(start)} -> {_text(end)}": None
        for start, end in zip(points, ends, strict=True)
    }
    return [parse_target(text) for text in texts]


def _neighbours(grid: Grid, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Voxels that touch, in a single slice those in its plane."""
    whole = ndimage.generate_binary_structure(3, 1)
    if min(shape) > 1:
        return np.asarray(whole)
    keep = np.zeros_like(whole)
    keep[tuple(slice(1, 2) if n == 1 else slice(None) for n in shape)] = True
    return np.asarray(whole & keep)


def _text(point: Array) -> str:
    return ",".join(number_text(round(float(mm), 3)) for mm in point)
