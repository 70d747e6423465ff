"""Small images and labels as files, and a harmful pickle, for tests of the shell."""

from __future__ import annotations

import os
from pathlib import Path

import nibabel as nib
import numpy as np

__all__ = ["Boom", "rings", "volume", "write"]


def write(path: Path, data: np.ndarray, spacing: float = 1.5) -> Path:
    nib.save(nib.Nifti1Image(data, np.diag([-spacing, -spacing, 8.0, 1.0])), path)
    return path


def volume(shape: tuple[int, ...] = (40, 52, 3)) -> np.ndarray:
    x, y, *_ = np.meshgrid(*[np.linspace(-1, 1, n) for n in shape], indexing="ij")
    return (500 * np.exp(-4 * (x**2 + y**2)) + 20 * np.cos(9 * x)).astype(np.int16)


def rings(shape: tuple[int, ...] = (40, 52, 3)) -> np.ndarray:
    x, y, *_ = np.meshgrid(*[np.linspace(-1, 1, n) for n in shape], indexing="ij")
    radius = np.hypot(x, y)
    return ((radius < 0.6).astype(np.uint8) + (radius < 0.35)).astype(np.uint8)


class Boom:
    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, ("executed",)
