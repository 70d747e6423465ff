"""Patches of nnU-Net's whose images are coordinates: they show where their voxels come from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from src_core.cases.grid import Grid
from tests.support.nnunet import trainer_of
from tests.support.nnunet_data import EDGE, cases
from tests.support.stored_bank import bank_of

__all__ = ["Patches", "fill", "inside", "loader_of", "patches"]

Displacement = Callable[[Grid, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Patches:
    """What a loader gives: of each case its name, coordinates (3, *patch), where they are known,
    and labels (*patch)."""

    keys: list[str]
    coordinates: np.ndarray
    known: np.ndarray
    labels: np.ndarray

    def __iter__(self) -> Iterator[tuple[str, np.ndarray, np.ndarray, np.ndarray]]:
        return iter(zip(self.keys, self.coordinates, self.known, self.labels, strict=True))


def fill(folder: Path, thick: bool, displacement: Displacement) -> dict[str, Grid]:
    """A bank with one field for each case: (X, Y, Z, 3), voxels, of a grid and its voxels."""
    made = {}
    for name, grid in cases(thick):
        at = np.stack(np.meshgrid(*map(np.arange, grid.shape), indexing="ij"), -1)
        made[name] = (grid, [grid.to_lps_mm(displacement(grid, at))])
    bank_of(folder, made)
    return {name: grid for name, (grid, _) in made.items()}


def loader_of(kind: type, folder: Path, configuration: str, **spatial: float) -> Any:
    """The loader of training patches, with transforms of space alone, set as ``spatial`` says."""
    training, _ = trainer_of(kind, folder, configuration).get_dataloaders()
    loader = training.data_loader
    chain = getattr(loader, "_others", loader.transforms)
    kept = ("Spatial", "Mirror", "Convert", "Remove", "DownsampleSeg")
    chain.transforms = [t for t in chain.transforms if any(k in type(t).__name__ for k in kept)]
    for transform in chain.transforms:
        for name, value in spatial.items():
            changed = getattr(transform, "inner", transform)
            if hasattr(changed, name):
                setattr(changed, name, value)
    return loader


def patches(loader: Any, count: int = 5) -> Patches:
    """Some batches, by nnU-Net's random numbers from a seed on: NumPy's and torch's own."""
    np.random.seed(4)
    torch.manual_seed(4)
    made = [next(loader) for _ in range(count)]
    keys = [str(key) for batch in made for key in batch["keys"]]
    images = np.concatenate([batch["data"].numpy() for batch in made])
    first = [batch["target"][0] for batch in made]  # of deep supervision's
    labels = np.concatenate([t.numpy() for t in first])[:, 0]
    return Patches(keys, images[:, :3].astype(float) - 1, images[:, 3] > 1 - 1e-4, labels)


def inside(grid: Grid, at: np.ndarray, margin: float = 2.5) -> np.ndarray:
    """Which coordinates (3, ...) lie in an image and not near what nnU-Net crops."""
    shape = (3, *[1] * (at.ndim - 1))
    low = np.array([before + margin for before, _ in EDGE]).reshape(shape)
    ends = [n - 1 - after - margin for (_, after), n in zip(EDGE, grid.shape, strict=True)]
    return np.asarray(((at >= low) & (at <= np.array(ends).reshape(shape))).all(0))
