"""Deformations of a case: one field for all of its slices, on a coarse grid over the crop.

A field moves what the crop shows: (2, g, g) mm along the turned axes, half precision. Number n of
every kind starts from the same random field, and what moves is matched within the labels.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from scipy.optimize import brentq
from torch import Tensor
from torch.nn import functional

from src_core.cases.case import Case
from src_core.diffusion.bspline_field import elastic_ddf
from src_core.diffusion.flow import Flow
from src_core.fields.sampling import sample
from src_core.generation.options import Options, make_options
from src_core.generation.proof import guarded
from src_core.generation.session import Session
from src_core.models.fit import Fit
from src_core.models.model import Model
from src_core.tasks.segmentation.crop import CropGrid, PlaneAxes, pixel_positions, plane_axes
from src_core.tasks.segmentation.methods import FieldKind
from src_core.tasks.segmentation.slice_stacks import SliceStack

__all__ = [
    "FieldDraw",
    "FieldMaker",
    "elastic_fields",
    "field_draws",
    "foreground",
    "mean_length",
    "on_crop",
]

#: Recovery steps of every field.
_STEPS = 3
#: Slices that the model looks at, evenly spread; all are moved.
_SEEN = 5
#: How far a random field may be enlarged to move as much as another.
_LARGEST = 4.0


@dataclass(frozen=True)
class FieldDraw:
    """Level and seed of a field."""

    level: int
    seed: int


def field_draws(name: str, times: int, levels: tuple[int, int], seed: int) -> list[FieldDraw]:
    """Levels and seeds of a case's fields, which follow from the seed, the case and the number."""
    found = []
    for number in range(times):
        own = zlib.crc32(repr((seed, name, number)).encode())
        level = int(np.random.default_rng(own).integers(levels[0], levels[1] + 1))
        found.append(FieldDraw(level, own))
    return found


def foreground(stack: SliceStack, crop: CropGrid) -> Tensor:
    """Share of labelled pixels under each point of a field's grid, summed over slices: (g, g)."""
    shown = (stack.classes[:, crop.inner, crop.inner] > 0).float()
    return functional.avg_pool2d(shown[:, None], 2).sum((0, 1))


def mean_length(fields: Tensor, weights: Tensor) -> Tensor:
    """Mean length of fields (T, 2, g, g) over weighted points (g, g); everywhere without any."""
    weights = weights if weights.any() else torch.ones_like(weights)
    lengths = torch.linalg.vector_norm(fields.float(), dim=1)
    return (lengths * weights).sum((1, 2)) / weights.sum()


class FieldMaker:
    """Makes the fields of one case.

    Args:
        case: with labels, which only ``keep`` looks at.
        model: recovers.
        crop: what the segmenter sees.
        weights: ``foreground`` of the case.
    """

    def __init__(self, case: Case, model: Model, crop: CropGrid, weights: Tensor) -> None:
        self._model, self._crop, self._weights = model, crop, weights
        self._session = Session(_few_slices(case), model)
        self._axes: PlaneAxes = plane_axes(case.grid)

    def fields(
        self, kind: FieldKind, draws: list[FieldDraw], means: Tensor | None = None
    ) -> Iterator[Tensor]:
        """A field (1, 2, g, g) for each draw.

        Args:
            kind: ``drdm`` and ``keep`` are recovered, ``random`` is not.
            draws: of ``field_draws``.
            means: for ``random``: mean length in mm over the foreground, for each draw.
        """
        for number, draw in enumerate(draws):
            if kind == "random":
                assert means is not None
                yield self._random(draw, float(means[number]))
            else:
                yield self._recovered(draw, keep=kind == "keep")

    @torch.inference_mode()
    def _recovered(self, draw: FieldDraw, keep: bool) -> Tensor:
        end = self._session.ends(self._options(draw, keep))[0]
        return self._on_crop(guarded(self._session.view, end.flow, u=end.displacement).displacement)

    @torch.inference_mode()
    def _random(self, draw: FieldDraw, mean: float) -> Tensor:
        flow = self._session.start(self._options(draw, keep=False))

        def excess(factor: float) -> float:
            moved = self._on_crop(flow.scaled(factor).displacement())
            return float(mean_length(moved, self._weights)[0]) - mean

        factor = 0.0 if mean <= 0 else _root(excess)
        return self._on_crop(self._guarded(flow.scaled(factor)))

    def _guarded(self, flow: Flow) -> Tensor:
        return guarded(self._session.view, flow).displacement

    def _options(self, draw: FieldDraw, keep: bool) -> Options:
        levels, variety = self._model.spec.schedule.levels, 1.0 if keep else 0.0
        return make_options(levels, level=draw.level, seed=draw.seed, steps=_STEPS, variety=variety)

    def _on_crop(self, u: Tensor) -> Tensor:
        return on_crop(u, self._session.view.fit, self._axes, self._crop)


def on_crop(u: Tensor, fit: Fit, axes: PlaneAxes, crop: CropGrid) -> Tensor:
    """A DDF (1, 2, *side) in voxels of a grid over the model's, on the crop's: (1, 2, g, g) mm."""
    state = u.shape[-1]
    places = pixel_positions(crop.field_side, crop.size * crop.spacing / crop.field_side)
    at = fit.to_state(axes.voxels(places, crop.centre), state)
    return axes.turned(sample(u, at) * (fit.mm_per_pixel * fit.size / state))


def elastic_fields(
    crop: CropGrid, means: Tensor, weights: Tensor, draws: list[FieldDraw], strength: float
) -> Tensor:
    """Elastic deformations of given mean lengths over the foreground: (T, 2, g, g) mm.

    A cubic B-spline of 8 spans over the canvas, of independent uniform control points.
    """
    whole, side = crop.canvas // 2, crop.field_side
    inner = slice((whole - side) // 2, (whole - side) // 2 + side)
    drawn = [
        elastic_ddf(whole, 2, 1.0, torch.Generator().manual_seed(draw.seed))[..., inner, inner]
        for draw in draws
    ]
    fields = torch.cat(drawn)
    factor = strength * means / mean_length(fields, weights)
    return fields * factor[:, None, None, None]


def _root(excess: Callable[[float], float]) -> float:
    if excess(_LARGEST) < 0:
        return _LARGEST
    return float(brentq(excess, 0.0, _LARGEST, xtol=1e-4))


def _few_slices(case: Case) -> Case:
    """A case of evenly spread slices, of a cine its first frame."""
    axis = case.grid.slice_axis
    keep = np.unique(np.linspace(0, case.grid.shape[axis] - 1, _SEEN).round().astype(int))

    def kept(values: np.ndarray) -> np.ndarray:
        return np.take(values[..., 0] if values.ndim == 4 else values, keep, axis)

    labels = None if case.label_map is None else kept(case.label_map)
    small = Case.from_arrays(kept(case.image), labels, affine=case.grid.affine, name=case.name)
    return replace(small, notes=case.notes)
