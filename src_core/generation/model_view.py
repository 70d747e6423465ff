"""A case as a model sees it: slices or the volume, fitted, normalised, and the way back."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from src_core.cases.case import Case
from src_core.cases.checks import check_image
from src_core.cases.grid import Grid
from src_core.cases.tiles import assembled, tile_axis
from src_core.errors import GeometryWarning, InputError
from src_core.fields.algebra import resized
from src_core.fields.planes import Field, field_tensor, lps_field
from src_core.fields.saved import SavedField
from src_core.generation.region import Box, box_in, embed, fade
from src_core.models.fit import Fit
from src_core.models.model import ModelSpec
from src_core.models.organs import organs_of_labels

__all__ = [
    "ModelView",
    "guide_of",
    "make_model_view",
]

#: Images of one slab that the network sees at most, evenly spread: slices, and slices of frames.
#: On ten stacks of 8 to 15 slices, six changed no figure by more than 1 % (docs/ablation.md).
MOST_SLICES, MOST_IMAGES = 6, 16
#: Voxels of the longest side below which nothing can be recognised.
_SMALLEST = 8
#: The channel of a picture in colour that its brightness comes from most.
_GREEN = 2


@dataclass(frozen=True, eq=False)
class ModelView:
    """A case made ready for a model: its slabs on the model's grid, and the way back.

    Attributes:
        case: the case.
        axis: the slice axis for a 2D model, None for a 3D one.
        fit: of one slice, or of the volume, into the model's grid; of the box where there is one.
        values: (slabs, images, *plane) in 0..1; a slab is what one deformation serves: one slice,
            all of them, or the volume.
        shared: one deformation serves all slices.
        box: what is deformed, first and past-last voxel along the plane's axes; None for all.
    """

    case: Case
    axis: int | None
    fit: Fit
    values: NDArray[np.float32]
    shared: bool
    box: Box | None = None

    @property
    def plane(self) -> tuple[int, ...]:
        """Voxels along the axes that are deformed: those of a slice, or of the volume."""
        shape = self.case.grid.shape
        return tuple(n for a, n in enumerate(shape) if a != self.axis)

    @property
    def slabs(self) -> int:
        """Deformations to generate."""
        return len(self.values)

    def images(self, slab: int) -> Tensor:
        """Images of one slab on the model's grid: (N, 1, *size) in 0..1."""
        return torch.cat([self.fit.image(values) for values in self.values[slab]]).clamp(0, 1)

    def label_shares(self, slab: int, state: int) -> Tensor | None:
        """Each label of the first label map, its holes filled: (1, K, *state), 0 to 1.

        The mean over those slices and frames of the slab that have labels; None where none has.
        """
        maps = [organs_of_labels(part, values) for part, values in self._labels(slab)]
        if not maps:
            return None
        whole = np.mean(maps, axis=0)
        return resized(torch.cat([self.fit.image(one) for one in whole], 1), state)

    def _labels(self, slab: int) -> list[tuple[NDArray[Any], NDArray[Any]]]:
        """The labelled planes of a slab, each with all labels of the map."""
        labels = self.case.label_map
        if labels is None:
            return []
        frames = np.moveaxis(labels, 3, 0) if labels.ndim == 4 else labels[None]
        planes = frames[None] if self.axis is None else np.moveaxis(frames, self.axis + 1, 0)
        if self.box is not None:
            inside: tuple[Any, ...] = tuple(slice(*ends) for ends in self.box)
            planes = planes[(..., *inside)]
        chosen = planes.reshape(-1, *planes.shape[2:]) if self.shared else planes[slab]
        values = np.unique(labels[labels != 0])
        return [(plane, values) for plane in chosen if plane.any()]

    def displacement(self, u: Tensor, part: Sequence[range] | None = None) -> Tensor:
        """A DDF on the state grid at the plane's voxels, or at a part of them: (B, D, *part)."""
        part = part or [range(n) for n in self.plane]
        if self.box is None:
            return self.fit.displacement(u, part)
        return embed(lambda inner: self.fit.displacement(u, inner), part, self.box, u)

    def to_state(self, positions: Tensor, state: int) -> Tensor:
        """Positions (B, D, *any) in voxels of the plane -> voxels of a state grid."""
        if self.box is not None:
            first = torch.tensor([low for low, _ in self.box], dtype=positions.dtype)
            positions = positions - first.view(1, -1, *[1] * (positions.dim() - 2))
        return self.fit.to_state(positions, state)

    def fades(self, enlarged: int, state: int) -> tuple[Tensor, Tensor] | None:
        """Factors that fade velocities out at the box's border: enlarged grid, state grid."""
        if self.box is None:
            return None
        whole = fade(self.fit, enlarged, 2 * state, state)
        return whole, fade(self.fit, state, state, state)

    def field(self, u: Tensor) -> Field:
        """A DDF on the state grid, one item per slab, on the case's grid as it is saved."""
        grid, axis, u = self.case.grid, self.axis, u.double()
        if axis is not None and self.shared:
            return lps_field(self.displacement(u), grid, axis)
        along = tile_axis(grid.shape, axis)

        def vectors(part: slice) -> Field:
            if along == axis:
                return lps_field(self.displacement(u[part]), _cut(grid, along, part), axis)
            ranges = [range(n)[part] if a == along else range(n)
                      for a, n in enumerate(grid.shape) if a != axis]  # fmt: skip
            return lps_field(self.displacement(u, ranges), _cut(grid, along, part), axis)

        return assembled(grid.shape, along, vectors)

    def saved_slab(self, u: Tensor, part: slice = slice(None)) -> Tensor:
        """What the saved field of one slab would hold: (1, D, *plane), float64, voxels.

        ``part`` is a range along the plane's first axis.
        """
        ranges = [range(n)[part] if a == 0 else range(n) for a, n in enumerate(self.plane)]
        lengths = list(map(len, ranges))
        if self.axis is not None:
            lengths.insert(self.axis, 1)
        one = Grid((lengths[0], lengths[1], lengths[2]), self.case.grid.affine)
        voxels = self.displacement(u.double(), ranges)
        return field_tensor(lps_field(voxels, one, self.axis), one, self.axis)

    def distinct(self, field: Field) -> Tensor:
        """A saved field in voxels, float64, without repetitions of a shared slice."""
        saved = self.saved(field)
        return saved.read(0, saved.shape[saved.along])

    def saved(self, field: Field) -> SavedField:
        """A saved field, one slice of it where slices share a deformation."""
        return SavedField(field, self.case.grid, self.axis, self.axis is not None and self.shared)


def guide_of(case: Case, guide: int | None = None) -> int:
    """The number, from 1, of the image that a network sees; None is the option's auto.

    Raises:
        InputError: the case has fewer images.
    """
    count = len(case.images)
    if guide is None:
        return _GREEN if case.images[0].channel is not None and count >= _GREEN else 1
    if guide > count:
        raise InputError(
            f"there is no image {guide}",
            where=case.name,
            option="guide",
            expected=f"1 to {count}" if count > 1 else "1, its only image",
        )
    return guide


def make_model_view(
    case: Case,
    spec: ModelSpec,
    slices: str = "shared",
    region: Box | None = None,
    guide: int | None = None,
) -> ModelView:
    """Make a case, or a region of it (voxels along X, Y, Z), ready for a model.

    ``guide`` is the image that the network sees, as ``guide_of`` has it.

    Raises:
        InputError: a 3D model on a single slice, or a region that is no part of the image.
    """
    grid = case.grid
    if spec.ndim == 3 and min(grid.shape) < 2:
        raise InputError(
            "a 3D model needs a volume",
            where=case.name,
            expected="more than one slice",
            do="choose a 2D model",
        )
    axis = None if spec.ndim == 3 else grid.slice_axis
    kept = [a for a in range(3) if a != axis]
    box = None if region is None else box_in(region, grid.shape, kept)
    seen = case.images[guide_of(case, guide) - 1]
    if seen.channel is not None:
        check_image(seen, f"channel {seen.channel + 1} of {case.name}")
    frames = spec.preprocessing.unit_range(seen)
    planes = frames[None] if axis is None else np.moveaxis(frames, axis + 1, 0)
    if box is not None:
        inside: tuple[Any, ...] = tuple(slice(*ends) for ends in box)
        planes = planes[(..., *inside)]
    plane, spacing = planes.shape[2:], tuple(grid.spacing[a] for a in kept)
    if max(plane) < _SMALLEST:
        sides = " x ".join(map(str, plane))
        message = f"only {sides} voxels are deformed, too few to show any anatomy, {case.name}"
        warnings.warn(message, GeometryWarning, stacklevel=2)
    shared = axis is None or slices == "shared"
    values = planes.reshape(1, -1, *plane) if shared else planes
    values = _thin(values, MOST_SLICES if len(frames) == 1 else MOST_IMAGES)
    return ModelView(case, axis, Fit(plane, spacing, spec.size), values, shared, box)


def _cut(grid: Grid, along: int, part: slice) -> Grid:
    """A grid of vectors as long as a part."""
    x, y, z = (part.stop - part.start if a == along else n for a, n in enumerate(grid.shape))
    return Grid((x, y, z), grid.affine)


def _thin(values: NDArray[np.float32], most: int) -> NDArray[np.float32]:
    """At most ``most`` of axis 1, evenly spread."""
    count = values.shape[1]
    keep = np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(int))
    return values[:, keep]
