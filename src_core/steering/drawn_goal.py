"""A label as it was drawn by hand: its outline is where the source's outline has to go.

The signed distance from the source's label, under the map, is to be 0 on the outline drawn. Unlike
an overlap of the two, it has a slope far away from the label.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor

from src_core.cases.grid import Grid
from src_core.errors import InputError
from src_core.fields.sampling import sample, warp
from src_core.io import read_case
from src_core.steering.field_goals import no_constraints, point_weights
from src_core.steering.goals import Goal
from src_core.steering.kinds import DrawnShapeTarget
from src_core.steering.outcome import TargetOutcome
from src_core.steering.parts import Delivered, SoftLabels, SteeredPart, labels_of
from src_core.steering.prior import Constraints

__all__ = ["DrawnShapeGoal"]

#: Points of the outline in all, and in one slice at least.
_IN_ALL, _LEAST = 96, 8
#: Grids that differ by less than this, mm, are the same.
_SAME_GRID = 1e-2
#: How exactly the outline is reached, state voxels.
_DEVIATION = 0.05


class DrawnShapeGoal(Goal):
    """A label that is to be as in a label map on the case's grid."""

    target: DrawnShapeTarget

    def __init__(self, target: DrawnShapeTarget, part: SteeredPart) -> None:
        super().__init__(target, part)
        self._drawn = _read(target, part) == target.label
        if not self._drawn.any():
            raise InputError(
                f"label {target.label} is not drawn", where=target.file, option="targets"
            )
        self.before = self._dice(labels_of(part.labels))
        self._outlines = list(_outlines(labels_of(part.labels) == target.label, self._drawn, part))

    def outcome(self, after: Delivered) -> TargetOutcome:
        """Dice with what was drawn."""
        got = self._dice(labels_of(after.labels))
        within = 1 - got <= self.target.tolerance.value
        return TargetOutcome(self.target, 1.0, got, self.before, 1 - got, "", within)

    def constraints(self, after: Delivered, soft: SoftLabels) -> Constraints:
        """What a further velocity has to change."""
        gradients, wanted = [], []
        if 1 - self._dice(labels_of(after.labels)) > self.target.tolerance.value / 4:
            for distance, points in self._outlines:
                rows, values = _on_outline(distance, points, soft)
                gradients += rows
                wanted += values
        if not gradients:
            return no_constraints(soft)
        found = torch.tensor(wanted, dtype=torch.float64)
        deviations = torch.full_like(found, _DEVIATION / self.target.weight)
        return Constraints(torch.stack(gradients), found, deviations)

    def _dice(self, labels: NDArray[Any]) -> float:
        first = labels[..., 0] if labels.ndim == 4 else labels
        got = first == self.target.label
        return float(2 * (got & self._drawn).sum() / max(int(got.sum() + self._drawn.sum()), 1))


def _on_outline(
    distance: Tensor, points: Tensor, soft: SoftLabels
) -> tuple[list[Tensor], list[float]]:
    """Gradients and changes of a distance (1, 1, *size) at points (1, D, N) of the state grid."""
    moved = warp(distance, soft.full)
    slopes = torch.stack(torch.gradient(moved[0, 0]))[None] * soft.factor
    at = (points + 0.5) * soft.factor - 0.5
    ndim = at.shape[1]
    places = at.to(moved).view(1, ndim, -1, *[1] * (ndim - 1))
    values = sample(moved, places).flatten().tolist()
    directions = sample(slopes, places)[0].flatten(1).T
    rows = [
        torch.einsum("j,...->j...", d, point_weights(p, soft.u))
        for d, p in zip(directions, points[0].T, strict=True)
    ]
    return rows, [-v for v in values]


def _outlines(
    source: NDArray[np.bool_], drawn: NDArray[np.bool_], part: SteeredPart
) -> Iterator[tuple[Tensor, Tensor]]:
    """Distances from the source's label (1, 1, *size), state voxels, and points of the outline."""
    first = source[..., 0] if source.ndim == 4 else source
    masks = [m[None] if part.axis is None else np.moveaxis(m, part.axis, 0) for m in (first, drawn)]
    both = [(s, d) for s, d in zip(*masks, strict=True) if s.any() and d.any()]
    count = max(_LEAST, _IN_ALL // max(len(both), 1))
    spacing = [part.grid.spacing[a] for a in part.axes]
    half = min(spacing) / 2
    for mask, wanted in both:
        inside, outside = (
            ndimage.distance_transform_edt(m, sampling=spacing) for m in (mask, ~mask)
        )
        signed = np.where(mask, half - inside, outside - half) / part.mm
        rim = np.argwhere(wanted & ~ndimage.binary_erosion(wanted))
        chosen = rim[np.linspace(0, len(rim) - 1, min(count, len(rim))).round().astype(int)]
        voxels = torch.from_numpy(chosen.T.astype(np.float64))[None]
        yield part.image(signed.astype(np.float32)), part.to_state(voxels)


def _read(target: DrawnShapeTarget, part: SteeredPart) -> NDArray[Any]:
    """The labels of a file on the case's grid, cut to the slice that a part is."""
    found = read_case([Path(target.file)])
    data = found.image[..., 0] if found.image.ndim == 4 else found.image
    first, grid = part.grid.affine[:, 3], found.grid
    if part.axis is not None and part.grid.shape[part.axis] < grid.shape[part.axis]:
        at = round(float(np.linalg.solve(grid.affine, first)[part.axis]))
        data = np.take(data, [at], part.axis)
        affine = np.array(grid.affine)
        affine[:3, 3] += at * affine[:3, part.axis]
        x, y, z = data.shape
        grid = Grid((x, y, z), affine)
    if grid.shape != part.grid.shape or grid.distance_mm(part.grid) > _SAME_GRID:
        raise InputError(
            "the drawn labels lie on another grid",
            where=target.file,
            option="targets",
            expected="the grid of the case",
        )
    return np.asarray(data)
