"""A small network with random weights and rings of five subjects, to be evaluated."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np

from src_core.experiments.groups import Group
from src_core.experiments.records import Record

__all__ = ["LEVELS", "QUICK", "group", "record", "save_ring"]


LEVELS = ("--levels", "40,70", "--seeds", "2", "--device", "cpu")


QUICK = (*LEVELS, "--segmenter-batches", "0")


def save_ring(folder: Path, name: str, radius: float, thick: bool = False) -> None:
    shape = (40, 52, 24 if thick else 3)
    x, y, z = np.indices(shape) - np.array([20, 26, 12 if thick else 1]).reshape(3, 1, 1, 1)
    distance = np.sqrt(x**2 + y**2 + (z**2 if thick else 0)) + 0.5 * (abs(z) == 1)
    labels = np.where(distance < radius, 3, np.where(distance < radius + 4, 2, 0)).astype(np.uint8)
    labels[(x < -13) & (abs(y) < 10)] = 1
    image = (np.array([20, 90, 60, 140])[labels] + 10 * np.cos(x / 2)).astype(np.int16)
    spacing = 1.5 if thick else 8.0
    for kind, data in (("images", image), ("labels", labels)):
        (folder / kind).mkdir(parents=True, exist_ok=True)
        affine = np.diag([-1.5, -1.5, spacing, 1])
        nib.save(nib.Nifti1Image(data, affine), folder / kind / f"{name}.nii.gz")


def record(row: str, level: int, steps: int, seed: int, **figures: float) -> Record:
    keys = {"level": level, "seed": seed, "row": row, "steps": steps}
    return Record("case", f"subject{seed}", keys, figures)


def group(row: str, level: int, steps: int) -> Group:
    return Group({"row": row, "level": level, "steps": steps})
