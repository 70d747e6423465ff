"""Cases in a model's grid: one slice of a volume (2D) or the volume (3D), and its labels.

The slice is that with the largest labelled area, or the middle one of those that hold every label
of the case; without labels, the middle one of all.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from src_core.datasets.reading import Entry
from src_core.fields import enlarge
from src_core.fields.sampling import warp
from src_core.generation.model_view import ModelView, make_model_view
from src_core.io import read_case
from src_core.models.model import ModelSpec

#: A label of fewer voxels than this does not count as present in a slice.
_LEAST = 10

__all__ = ["EvaluatedCase", "label_map", "load_case", "read_in_grid", "slices_of"]


@dataclass(frozen=True, eq=False)
class EvaluatedCase:
    """One case in a model's grid.

    Attributes:
        name: of the case; ``subject`` the person it belongs to.
        view: the whole case; ``slab`` is the slice of it, 0 in 3D.
        images: the image, (1, 1, *size) in 0..1.
        masks: share of each label, (1, K, *size) in 0..1; K = 0 without labels.
        labels: the K values.
    """

    name: str
    subject: str
    view: ModelView
    slab: int
    images: Tensor
    masks: Tensor
    labels: tuple[int, ...]

    @property
    def code(self) -> int:
        """A number from the name alone, which seeds the draws of the case."""
        return zlib.crc32(self.name.encode())

    @property
    def mm_per_voxel(self) -> float:
        """Side of a voxel of the model's grid."""
        return self.view.fit.mm_per_pixel

    def warped(self, u: Tensor) -> tuple[Tensor, NDArray[np.integer]]:
        """Image (1, 1, *size) and label map (*size) under a DDF (1, D, *state), state voxels."""
        factor = self.images.shape[-1] // u.shape[-1]
        whole = enlarge(u, factor) if factor > 1 else u
        both = warp(torch.cat([self.images, self.masks], 1), whole, padding="zeros")
        return both[:, :1], label_map(both[:, 1:], self.labels)

    def warped_labels(self, u: Tensor) -> NDArray[np.integer]:
        """The label map alone (*size) under a DDF (1, D, *state), state voxels."""
        factor = self.images.shape[-1] // u.shape[-1]
        whole = enlarge(u, factor) if factor > 1 else u
        return label_map(warp(self.masks, whole, padding="zeros"), self.labels)


def load_case(
    entry: Entry, spec: ModelSpec, labels: tuple[int, ...], choice: str = "largest"
) -> EvaluatedCase:
    """Read a case; of a cine its first frame.

    Args:
        choice: ``largest`` or ``middle`` slice, with a 2D model.

    Raises:
        InputError: a file is no image, or does not fit the model.
    """
    view, label_stack = read_in_grid(entry, spec)
    slab = _chosen_slice(label_stack, labels, choice)
    images, masks = _in_grid(view, label_stack, slab, labels)
    return EvaluatedCase(entry.name, entry.subject, view, slab, images, masks, labels)


def slices_of(
    entry: Entry, spec: ModelSpec, labels: tuple[int, ...]
) -> Iterator[tuple[Tensor, Tensor]]:
    """Every slice of a case in a model's grid: image (1, 1, n, n), masks (1, K, n, n).

    A volume of a 3D model is cut along its last axis.
    """
    view, label_stack = read_in_grid(entry, spec)
    for slab in range(len(label_stack)):
        images, masks = _in_grid(view, label_stack, slab, labels)
        if spec.ndim == 2:
            yield images, masks
        else:
            yield from zip(images.unbind(-1), masks.unbind(-1), strict=True)


def label_map(masks: Tensor, labels: tuple[int, ...]) -> NDArray[np.integer]:
    """Shares of labels (1, K, *size) -> the value (*size) with the largest; 0 is background."""
    shares = masks[0].numpy()
    best, found = 1 - shares.sum(axis=0), np.zeros(shares.shape[1:], dtype=np.int64)
    for value, share in zip(labels, shares, strict=True):
        found[share > best] = value
        best = np.maximum(best, share)
    return found


def read_in_grid(entry: Entry, spec: ModelSpec) -> tuple[ModelView, NDArray[np.integer]]:
    """A case in a model's grid, and its labels (slabs, *plane), 0 where there are none."""
    case = read_case(entry.image, entry.labels)
    view = make_model_view(case, spec, "each")
    values = case.label_map
    if values is None:
        values = np.zeros(case.grid.shape, dtype=np.uint8)
    first = values[..., 0] if values.ndim == 4 else values
    return view, np.moveaxis(first, view.axis, 0) if view.axis is not None else first[None]


def _chosen_slice(label_stack: NDArray[np.integer], labels: tuple[int, ...], choice: str) -> int:
    flat = label_stack.reshape(len(label_stack), -1)
    areas = np.array([(flat == v).sum(axis=1) for v in labels]).reshape(len(labels), len(flat))
    present = areas[areas.any(axis=1)]
    if not len(present):
        return len(label_stack) // 2
    if choice == "largest":
        return int(present.sum(axis=0).argmax())
    complete = np.flatnonzero((present >= _LEAST).all(axis=0))
    some = complete if len(complete) else np.flatnonzero(present.any(axis=0))
    return int(some[len(some) // 2])


def _in_grid(
    view: ModelView, label_stack: NDArray[np.integer], slab: int, labels: tuple[int, ...]
) -> tuple[Tensor, Tensor]:
    images = view.fit.image(view.values[slab][0]).clamp(0, 1)
    masks = [view.fit.image((label_stack[slab] == v).astype(np.float32)) for v in labels]
    empty = images.new_zeros(1, 0, *images.shape[2:])
    return images, torch.cat([empty, *masks], dim=1)
