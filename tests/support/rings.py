"""A small labelled data set, and a small model with random weights, as files."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np

from tests.support.tiny import save_unet

__all__ = ["SHAPE", "oblique", "ring", "save_ring", "save_tiny"]

SHAPE = (30, 44, 3)


def oblique(spacing: tuple[float, float, float] = (1.5, 1.2, 8.0)) -> np.ndarray:
    turn, (c, s) = np.eye(4), (np.cos(0.3), np.sin(0.3))
    turn[:3, :3] = [[c, 0, s], [0, -1, 0], [-s, 0, c]]
    return turn @ np.diag([*spacing, 1.0])


def ring(radius: float) -> tuple[np.ndarray, np.ndarray]:
    """An image (X, Y, Z) and its labels 2 and 3."""
    x, y, z = np.indices(SHAPE) - np.array([14, 23, 1]).reshape(3, 1, 1, 1)
    distance = np.hypot(x, y) + 0.6 * abs(z)
    labels = np.where(distance < radius, 3, np.where(distance < radius + 4, 2, 0)).astype(np.uint8)
    image = (np.array([20, 0, 60, 140])[labels] + 10 * np.cos(x / 2)).astype(np.int16)
    return image, labels


def save_ring(folder: Path, name: str, radius: float) -> None:
    image, labels = ring(radius)
    for kind, data in (("images", image), ("labels", labels)):
        (folder / kind).mkdir(parents=True, exist_ok=True)
        nib.save(nib.Nifti1Image(data, oblique()), folder / kind / f"{name}.nii.gz")


def save_tiny(folder: Path) -> Path:
    return save_unet(folder / "tiny.safetensors", side=16, widths=(8, 8))
