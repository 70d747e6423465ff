"""Pictures of real images, and of images deformed by the model or elastically, alike in all else.

An elastic deformation moves the shown part of its case as much, on average, as the model does with
the same seed.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from src_core.cases.case import Case
from src_core.cases.grid import Grid
from src_core.diffusion.bspline_field import elastic_ddf
from src_core.diffusion.random_field import generator
from src_core.evaluation.field_rows import ELASTIC_STREAM
from src_core.fields.planes import Field, lps_field
from src_core.fields.warp_case import warp_case
from src_core.generation.options import make_options
from src_core.generation.proof import guarded
from src_core.generation.session import Session
from src_core.io import read_case
from src_core.models.device import fixed_threads
from src_core.models.model import Model
from src_core.tasks.reader.blur import sub_voxel_displacement
from src_core.tasks.reader.options import REAL
from src_core.tasks.reader.pictures import PictureCrop, field_figures, slice_turns
from src_core.tasks.reader.sources import PictureSource

__all__ = ["MadePicture", "PictureMaker"]

#: Sub-seed of the displacements of less than a voxel.
_BLUR_STREAM = 7


@dataclass(frozen=True, eq=False)
class MadePicture:
    """A picture, and what is known of it.

    Attributes:
        pixels: (rows, columns).
        figures: slice, and of a deformation made here those of ``field_figures``.
    """

    pixels: NDArray[np.uint8]
    figures: dict[str, float]


class PictureMaker:
    """Makes pictures.

    Args:
        model: deforms, and says whether slices or volumes are deformed.
        level: of its deformations.
        choice: which slice of a case is shown.
        crop: what of it.
        sharp: whether real images are left as they are.
    """

    def __init__(
        self, model: Model, level: int, choice: str, crop: PictureCrop, sharp: bool
    ) -> None:
        self._model, self._choice, self._crop = model, choice, crop
        self._sharp = sharp
        self._options = {"level": level}

    @torch.inference_mode()
    def make(self, source: PictureSource) -> MadePicture:
        """The picture of a source.

        Raises:
            InputError: its case is no image, or does not fit the model.
        """
        whole = read_case(source.entry.image, source.entry.labels)
        turns = slice_turns(whole, self._choice)
        chosen = turns[source.turn % len(turns)]
        flat = self._model.spec.ndim == 2
        case, index = (_one_slice(whole, chosen), 0) if flat else (whole, chosen)
        figures = {"slice": float(chosen)}
        with fixed_threads():
            field = self._field(source, case, index) if source.made else None
            if field is not None:
                figures |= field_figures(field, case.grid, index, self._crop)
                case = warp_case(case, field)
            return MadePicture(self._crop.picture(case, index), figures)

    def _field(self, source: PictureSource, case: Case, index: int) -> Field | None:
        """The deformation of a case, (X, Y, Z, 3), LPS mm; None for none."""
        if source.kind == REAL:
            return None if self._sharp else self._sub_voxel(source, case)
        if source.kind == "generated":
            return self._generated(source, case)
        elastic = self._elastic(source, case)
        if source.mean_mm is not None:
            return elastic * np.float32(source.mean_mm / _mean_length(elastic))
        wanted, found = (
            field_figures(field, case.grid, index, self._crop)["mean_mm"]
            for field in (self._generated(source, case), elastic)
        )
        return elastic * np.float32(wanted / found)

    def _generated(self, source: PictureSource, case: Case) -> Field:
        session = Session(case, self._model)
        levels = self._model.spec.schedule.levels
        options = make_options(levels, seed=source.seed, **self._options)
        end = session.ends(options)[0]
        return session.view.field(guarded(session.view, end.flow, u=end.displacement).displacement)

    def _elastic(self, source: PictureSource, case: Case) -> Field:
        spec = self._model.spec
        u = elastic_ddf(spec.state, spec.ndim, 1.0, _random(source, ELASTIC_STREAM))
        return Session(case, self._model).view.field(u)

    def _sub_voxel(self, source: PictureSource, case: Case) -> Field:
        axis = case.grid.slice_axis if self._model.spec.ndim == 2 else None
        shape = tuple(n for a, n in enumerate(case.grid.shape) if a != axis)
        return lps_field(sub_voxel_displacement(shape, _random(source, _BLUR_STREAM)),
                         case.grid, axis)  # fmt: skip


def _random(source: PictureSource, stream: int) -> torch.Generator:
    return generator(source.seed, zlib.crc32(source.entry.name.encode()), stream)


def _mean_length(field: Field) -> float:
    return float(np.linalg.norm(field.astype(np.float64), axis=-1).mean())


def _one_slice(case: Case, index: int) -> Case:
    """A slice of the first frame of the first image and label map, as a case on its own grid."""
    axis = case.grid.slice_axis

    def cut(values: NDArray[np.generic]) -> NDArray[np.generic]:
        return (values[..., 0] if values.ndim == 4 else values).take([index], axis)

    affine = np.array(case.grid.affine)
    affine[:3, 3] += index * affine[:3, axis]
    images = tuple(v.with_data(cut(v.data)) for v in case.images[:1])
    labels = tuple(v.with_data(cut(v.data)) for v in case.labels[:1])
    return Case(images, labels, Grid(images[0].shape, affine), case.name, case.notes)
