"""Training images: every slice (2D) or volume (3D) of a data set, on the model's grid, as uint8.

A data set is a folder of NIfTI files or a CSV with a column ``image`` and, if wanted, ``weight``.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from src_core.case import Case
from src_core.errors import InputError
from src_core.fit import Fit
from src_core.io import read_case
from src_core.preprocessing import Preprocessing

__all__ = ["Store", "find_images", "load_store"]


@dataclass(frozen=True, eq=False)
class Store:
    """images (N, 1, *size) uint8; shares (N,) drawing probabilities; mm_per_pixel (low, high)."""

    images: Tensor
    shares: np.ndarray
    mm_per_pixel: tuple[float, float]
    files: tuple[str, ...]


def find_images(dataset: Path | str) -> list[tuple[Path, float]]:
    """Files of a data set with their weights: a file of weight w is drawn w times as often."""
    dataset = Path(dataset)
    if dataset.is_dir():
        found = sorted(p for p in dataset.iterdir() if p.name.endswith((".nii", ".nii.gz")))
        pairs = [(p, 1.0) for p in found]
    elif dataset.suffix == ".csv" and dataset.is_file():
        pairs = list(_rows(dataset))
    else:
        raise InputError(
            "no such data set",
            where=str(dataset),
            expected="a folder of NIfTI files or a .csv with a column image",
        )
    if not pairs:
        raise InputError("data set is empty", where=str(dataset), expected="NIfTI images")
    return pairs


def _rows(path: Path) -> Iterator[tuple[Path, float]]:
    with path.open(newline="", encoding="utf-8") as file:
        for number, row in enumerate(csv.DictReader(file), start=2):
            if not row.get("image"):
                raise InputError("no image", where=f"{path} line {number}", expected="column image")
            yield path.parent / row["image"], float(row.get("weight") or 1.0)


def load_store(
    dataset: Path | str, size: int, ndim: int, percentiles: tuple[float, float]
) -> Store:
    """Read, fit and keep every image; about size^D bytes each."""
    images: list[Tensor] = []
    weights: list[float] = []
    scales: list[float] = []
    files = find_images(dataset)
    for path, weight in files:
        case = read_case(path)
        fitted = list(_fitted(case, size, ndim, percentiles))
        images += [image for image, _ in fitted]
        scales += [mm for _, mm in fitted]
        weights += [weight / len(fitted)] * len(fitted)
    total = float(np.sum(weights))
    return Store(
        torch.cat(images),
        np.array(weights) / total,
        (min(scales), max(scales)),
        tuple(str(path) for path, _ in files),
    )


def _fitted(
    case: Case, size: int, ndim: int, percentiles: tuple[float, float]
) -> Iterator[tuple[Tensor, float]]:
    axis = case.grid.slice_axis
    for volume in Preprocessing(percentiles=percentiles).unit_range(case.images[0]):
        parts = np.moveaxis(volume, axis, 0) if ndim == 2 else volume[None]
        spacing = tuple(np.delete(case.grid.spacing, axis)) if ndim == 2 else case.grid.spacing
        for part in parts:
            fit = Fit(part.shape, tuple(float(s) for s in spacing), size)
            yield (fit.image(part).clamp(0, 1) * 255).round().to(torch.uint8), fit.mm_per_pixel
