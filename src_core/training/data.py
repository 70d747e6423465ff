"""Training images: every slice (2D) or volume (3D) of the files, on the model's grid, as uint8."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from src_core.cases.case import Case
from src_core.datasets.reading import Entry
from src_core.errors import InputError
from src_core.io import read_case
from src_core.models.fit import Fit
from src_core.models.organs import Organ, marked
from src_core.models.preprocessing import Preprocessing
from src_core.training.cache import ImageCache
from src_core.training.organs import OrganStore

__all__ = ["ModelGrid", "Store", "load_store", "spread_images", "spread_store"]


@dataclass(frozen=True)
class ModelGrid:
    """The grid of training images: pixels per side, 2 or 3 axes, and the scaling of intensities.

    Attributes:
        organs: to be found in label maps.
        organ_side: voxels per side of their maps.
    """

    size: int
    ndim: int
    preprocessing: Preprocessing
    organs: tuple[Organ, ...] = ()
    organ_side: int = 0


@dataclass(frozen=True, eq=False)
class Store:
    """images (N, 1, *size) uint8; shares (N,) drawing probabilities; mm_per_pixel (low, high).

    ``organs`` are the maps of organs of the images, where the model has any.
    """

    images: Tensor
    shares: np.ndarray
    mm_per_pixel: tuple[float, float]
    files: tuple[str, ...]
    organs: OrganStore | None = None

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the images and their shares."""
        digest = hashlib.sha256()
        for image in self.images:
            digest.update(image.numpy().data)
        digest.update(self.shares.tobytes())
        if self.organs is not None:
            digest.update(self.organs.maps.numpy().data)
        return digest.hexdigest()


def load_store(
    sources: Sequence[Entry], grid: ModelGrid, cache: Path, memory: float = float("inf")
) -> Store:
    """Read, fit and keep every image; about size^D bytes each.

    Args:
        cache: the file for images beyond ``memory``.
        memory: bytes of images to keep in memory.

    Raises:
        InputError: a file cannot be read, or holds the same images as another.
    """
    weights: list[float] = []
    scales: list[float] = []
    maps: list[Tensor] = []
    seen: dict[bytes, Path] = {}
    with ImageCache(memory, cache) as kept:
        for source in sources:
            content, before = hashlib.sha256(), len(scales)
            case = read_case(source.image, source.labels if grid.organs else None)
            for image, mm, organs_of_image in _fitted(case, grid):
                kept.add(image)
                content.update(image.numpy().data)
                scales.append(mm)
                maps.append(organs_of_image)
            count = len(scales) - before
            weights += [source.weight / count] * count
            _refuse_copy(seen, content.digest(), source.image)
        images = kept.images()
    shares = np.array(weights) / float(np.sum(weights))
    names = tuple(str(source.image) for source in sources)
    organs = OrganStore(_with_some(torch.cat(maps))) if grid.organs else None
    return Store(images, shares, (min(scales), max(scales)), names, organs)


def _with_some(maps: Tensor) -> Tensor:
    if not maps.any():
        raise InputError(
            "no image has labels of the config's organs",
            expected="a CSV with a column labels, or a config without organs",
        )
    return maps


def _refuse_copy(seen: dict[bytes, Path], content: bytes, path: Path) -> None:
    if content in seen:
        raise InputError(
            "two files hold the same images",
            where=f"{seen[content]} and {path}",
            do="leave one out; a weight in a CSV draws it more often",
        )
    seen[content] = path


def spread_images(
    sources: Sequence[Entry], grid: ModelGrid, count: int
) -> tuple[list[str], Tensor]:
    """A few images spread over files and over the slices of each.

    Returns:
        Their names, and (N, 1, *size) in 0..1.
    """
    files = [sources[i] for i in _spread(len(sources), count)]
    names: list[str] = []
    views: list[Tensor] = []
    for number, source in enumerate(files):
        case = read_case(source.image)
        fitted = [image for image, _, _ in _fitted(case, grid)]
        share = (count - len(views)) // (len(files) - number)
        chosen = _spread(len(fitted), share)
        names += [f"{case.name} {i}" for i in chosen]
        views += [fitted[i] for i in chosen]
    return names, torch.cat(views).float() / 255


def spread_store(store: Store, count: int) -> tuple[list[str], Tensor]:
    """A few images of a store, as ``spread_images``."""
    chosen = _spread(len(store.images), count)
    return [f"image {i}" for i in chosen], store.images[chosen].float() / 255


def _spread(length: int, count: int) -> list[int]:
    """At most ``count`` places of ``length``, evenly spread, the ends left out."""
    count = min(length, count)
    return [int((i + 0.5) * length / count) for i in range(count)]


def _fitted(case: Case, grid: ModelGrid) -> Iterator[tuple[Tensor, float, Tensor]]:
    """Images, their scales, and maps of organs (1, K, *organ_side), empty where there are none."""
    axis = case.grid.slice_axis
    flat = grid.ndim == 2
    spacing = tuple(np.delete(case.grid.spacing, axis)) if flat else case.grid.spacing
    labels = _label_parts(case, axis if flat else None)
    for volume in grid.preprocessing.unit_range(case.images[0]):
        parts = np.moveaxis(volume, axis, 0) if flat else volume[None]
        for index, part in enumerate(parts):
            fit = Fit(part.shape, tuple(float(s) for s in spacing), grid.size)
            image = (fit.image(part).clamp(0, 1) * 255).round().to(torch.uint8)
            yield image, fit.mm_per_pixel, _organ_maps(labels[index] if labels else None, fit, grid)


def _label_parts(case: Case, axis: int | None) -> list[np.ndarray] | None:
    """The label map's slices, or the map itself; None for none, and for those of cines."""
    if case.label_map is None or case.images[0].frames > 1:
        return None
    return [case.label_map] if axis is None else list(np.moveaxis(case.label_map, axis, 0))


def _organ_maps(labels: np.ndarray | None, fit: Fit, grid: ModelGrid) -> Tensor:
    """Of one image: (1, K, *organ_side) uint8; 0 where organs are missing, or all labels are."""
    ndim, side = grid.ndim, grid.organ_side
    empty = torch.zeros(1, len(grid.organs), *[side] * ndim, dtype=torch.uint8)
    if labels is None or not grid.organs:
        return empty
    pool = {2: functional.avg_pool2d, 3: functional.avg_pool3d}[ndim]
    organs = [pool(fit.image(one), grid.size // side) for one in marked(labels, grid.organs)]
    return (torch.cat(organs, 1).clamp(0, 1) * 255).round().to(torch.uint8)
