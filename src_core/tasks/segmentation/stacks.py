"""Cases as the segmenter sees them: every slice on an isotropic grid of n x n pixels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from src_core.cases.case import Case
from src_core.datasets.reading import Entry
from src_core.errors import InputError
from src_core.evaluation.subjects import label_map
from src_core.generation.model_view import make_model_view
from src_core.io import read_case
from src_core.models.model import ModelSpec

__all__ = ["Stack", "labels_of", "one_hot", "read_stack"]


@dataclass(frozen=True, eq=False)
class Stack:
    """A case's slices.

    Attributes:
        name: of the case; ``subject`` of whom it is.
        images: (Z, 1, n, n) in 0..1.
        classes: (Z, n, n), index into background and labels.
        spacing: mm between slices, and twice the side of a pixel.
    """

    name: str
    subject: str
    images: Tensor
    classes: Tensor
    spacing: tuple[float, float, float]


def labels_of(entry: Entry) -> set[int]:
    """Values of a case's label map, background left out."""
    found = np.unique(_marked(read_case(entry.image, entry.labels)))
    return {int(v) for v in found} - {0}


def read_stack(entry: Entry, name: str, spec: ModelSpec, labels: tuple[int, ...]) -> Stack:
    """Read a case; of a cine its first frame."""
    case = read_case(entry.image, entry.labels)
    view = make_model_view(case, spec, "each")
    axis = case.grid.slice_axis
    marked = np.moveaxis(_marked(case), axis, 0)
    images = [view.fit.image(unit[0]).clamp(0, 1) for unit in view.values]
    classes = [
        label_map(
            torch.cat([view.fit.image((plane == v).astype(np.float32)) for v in labels], 1),
            tuple(range(1, len(labels) + 1)),
        )
        for plane in marked
    ]
    mm = view.fit.mm_per_pixel
    indices = torch.from_numpy(np.stack(classes))
    spacing = (float(case.grid.spacing[axis]), mm, mm)
    return Stack(name, entry.subject, torch.cat(images), indices, spacing)


def one_hot(classes: Tensor, count: int) -> Tensor:
    """(..., n, n) -> shares of the labels without background, (..., count, n, n)."""
    return functional.one_hot(classes, count + 1)[..., 1:].movedim(-1, -3).float()


def _marked(case: Case) -> np.ndarray:
    values = case.label_map
    if values is None:
        raise InputError("the case has no labels", where=case.name)
    return np.asarray(values[..., 0] if values.ndim == 4 else values)
