"""Cases as input of the segmenter: every slice on an isotropic grid of n x n pixels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from src_core.datasets.reading import Entry
from src_core.evaluation.cases import label_map
from src_core.generation.model_view import make_model_view
from src_core.io import read_case
from src_core.models.model import ModelSpec
from src_core.tasks.data import first_labels

__all__ = ["SliceStack", "one_hot", "read_stack"]


@dataclass(frozen=True, eq=False)
class SliceStack:
    """A case's slices.

    Attributes:
        name: of the case; ``subject`` the person it belongs to.
        images: (Z, 1, n, n) in 0..1.
        classes: (Z, n, n), index into background and labels.
        spacing: mm between slices, then the side of a pixel, twice.
    """

    name: str
    subject: str
    images: Tensor
    classes: Tensor
    spacing: tuple[float, float, float]


def read_stack(entry: Entry, name: str, spec: ModelSpec, labels: tuple[int, ...]) -> SliceStack:
    """Read a case; of a cine its first frame."""
    case = read_case(entry.image, entry.labels)
    view = make_model_view(case, spec, "each")
    axis = case.grid.slice_axis
    label_planes = np.moveaxis(first_labels(case), axis, 0)
    images = [view.fit.image(slab[0]).clamp(0, 1) for slab in view.values]
    classes = [
        label_map(
            torch.cat([view.fit.image((plane == v).astype(np.float32)) for v in labels], 1),
            tuple(range(1, len(labels) + 1)),
        )
        for plane in label_planes
    ]
    mm = view.fit.mm_per_pixel
    indices = torch.from_numpy(np.stack(classes))
    spacing = (float(case.grid.spacing[axis]), mm, mm)
    return SliceStack(name, entry.subject, torch.cat(images), indices, spacing)


def one_hot(classes: Tensor, count: int) -> Tensor:
    """(..., n, n) -> shares of the labels without background, (..., count, n, n)."""
    return functional.one_hot(classes, count + 1)[..., 1:].movedim(-1, -3).float()
