"""``drdm augment`` with few words, and the files of its second case to be spoilt."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np

from tests.support import augmenting
from tests.support.rings import oblique, ring

__all__ = ["RING", "RING_LABELS", "image", "labels", "save", "shell"]


def shell(data: Path, out: Path, file: Path, *words: str) -> int:
    return augmenting.shell(data, out, file, "--format", "nifti", "--levels", "30", *words)


def image(data: Path) -> Path:
    return data / "images" / "b.nii.gz"


def labels(data: Path) -> Path:
    return data / "labels" / "b.nii.gz"


def save(path: Path, array: np.ndarray, affine: np.ndarray | None = None) -> None:
    nib.save(nib.Nifti1Image(array, oblique() if affine is None else affine), path)


RING, RING_LABELS = ring(5)
