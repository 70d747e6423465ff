"""The real cases that generated ones are compared with: their shapes, their slices."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from src_core.datasets.reading import Entry
from src_core.evaluation.anatomy import Anatomy, find_anatomy, shape_figures
from src_core.evaluation.cases import label_map, load_case, slices_of
from src_core.evaluation.pose import pose_figures
from src_core.evaluation.segmenter import pool_factor
from src_core.io import read_case
from src_core.models.device import fixed_threads
from src_core.models.model import ModelSpec

__all__ = ["Reference", "labels_of", "read_anatomy", "read_reference", "training_slices"]


@dataclass(frozen=True, eq=False)
class Reference:
    """Measures of real cases.

    Attributes:
        shapes: shape measure -> a value for each case.
        subjects: of each case.
        poses: elongation, position and direction -> a value for each case.
    """

    shapes: dict[str, NDArray[np.float64]]
    subjects: tuple[str, ...]
    poses: dict[str, NDArray[np.float64]] = field(default_factory=dict)

    def figures(self) -> list[dict[str, float]]:
        """Shapes and poses of each case."""
        every = {**self.shapes, **self.poses}
        return [{n: float(v[i]) for n, v in every.items()} for i in range(len(self.subjects))]


def labels_of(entries: Sequence[Entry]) -> tuple[int, ...]:
    """All label values of a data set, ascending, background left out."""
    read = (read_case(e.image, e.labels) for e in entries if e.labels is not None)
    found = {int(v) for case in read for v in np.unique(case.labels[0].data)}
    return tuple(sorted(found - {0}))


def read_anatomy(
    entries: Sequence[Entry], spec: ModelSpec, walls: bool = True, choice: str = "largest"
) -> Anatomy:
    """Labels of cases in the model's grid, and which of them encloses which."""
    labelled = [e for e in entries if e.labels is not None]
    labels = labels_of(labelled)
    maps = [label_map(load_case(e, spec, labels, choice).masks, labels) for e in labelled]
    return Anatomy(labels, find_anatomy(maps, walls).walls)


def read_reference(
    entries: Sequence[Entry], spec: ModelSpec, anatomy: Anatomy, choice: str = "largest"
) -> Iterator[tuple[int, Reference]]:
    """Measure real cases; yields the number of finished cases, and their measures."""
    shapes: list[dict[str, float]] = []
    poses: list[dict[str, float]] = []
    for done, entry in enumerate(entries, start=1):
        with fixed_threads(), torch.inference_mode():
            case = load_case(entry, spec, anatomy.labels, choice)
            found = label_map(case.masks, anatomy.labels)
            shapes.append(shape_figures(found, anatomy, case.mm_per_voxel))
            poses.append(pose_figures(found, anatomy, case.mm_per_voxel))
        subjects = tuple(e.subject for e in entries[:done])
        yield done, Reference(_columns(shapes), subjects, _columns(poses))


def _columns(rows: Sequence[dict[str, float]]) -> dict[str, NDArray[np.float64]]:
    return {name: np.array([r[name] for r in rows]) for name in rows[0]}


def training_slices(
    entries: Sequence[Entry], spec: ModelSpec, labels: tuple[int, ...]
) -> tuple[Tensor, Tensor]:
    """Slices of real cases for a segmenter: images (N, 1, n, n) uint8, classes likewise.

    Empty slices (padding) are left out.
    """
    factor = pool_factor(spec.size)
    images, classes = [], []
    for entry in entries:
        for image, masks in slices_of(entry, spec, labels):
            if image.max() == 0:
                continue
            small = functional.avg_pool2d(image, factor), functional.avg_pool2d(masks, factor)
            background = 1 - small[1].sum(1, keepdim=True)
            images.append((small[0] * 255).round().to(torch.uint8))
            best = torch.cat([background, small[1]], 1).argmax(1, keepdim=True)
            classes.append(best.to(torch.uint8))
    return torch.cat(images), torch.cat(classes)
