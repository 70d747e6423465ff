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

from src_core.cases.case import Case
from src_core.datasets.reading import Entry
from src_core.errors import InputError
from src_core.io import read_case
from src_core.models.fit import Fit
from src_core.models.preprocessing import Preprocessing
from src_core.training.cache import ImageCache

__all__ = ["ModelGrid", "Store", "load_store", "spread_images", "spread_store"]


@dataclass(frozen=True)
class ModelGrid:
    """The grid of training images: pixels per side, 2 or 3 axes, and the scaling of intensities."""

    size: int
    ndim: int
    preprocessing: Preprocessing


@dataclass(frozen=True, eq=False)
class Store:
    """images (N, 1, *size) uint8; shares (N,) drawing probabilities; mm_per_pixel (low, high)."""

    images: Tensor
    shares: np.ndarray
    mm_per_pixel: tuple[float, float]
    files: tuple[str, ...]

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the images and their shares."""
        digest = hashlib.sha256()
        for image in self.images:
            digest.update(image.numpy().data)
        digest.update(self.shares.tobytes())
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
    seen: dict[bytes, Path] = {}
    with ImageCache(memory, cache) as kept:
        for source in sources:
            content, before = hashlib.sha256(), len(scales)
            for image, mm in _fitted(read_case(source.image), grid):
                kept.add(image)
                content.update(image.numpy().data)
                scales.append(mm)
            count = len(scales) - before
            weights += [source.weight / count] * count
            _refuse_copy(seen, content.digest(), source.image)
        images = kept.images()
    shares = np.array(weights) / float(np.sum(weights))
    names = tuple(str(source.image) for source in sources)
    return Store(images, shares, (min(scales), max(scales)), names)


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
        fitted = [image for image, _ in _fitted(case, grid)]
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


def _fitted(case: Case, grid: ModelGrid) -> Iterator[tuple[Tensor, float]]:
    axis = case.grid.slice_axis
    flat = grid.ndim == 2
    spacing = tuple(np.delete(case.grid.spacing, axis)) if flat else case.grid.spacing
    for volume in grid.preprocessing.unit_range(case.images[0]):
        for part in np.moveaxis(volume, axis, 0) if flat else volume[None]:
            fit = Fit(part.shape, tuple(float(s) for s in spacing), grid.size)
            image = (fit.image(part).clamp(0, 1) * 255).round().to(torch.uint8)
            yield image, fit.mm_per_pixel
