"""Two small volumes, their store, and an uninterrupted training; read only."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from src_core.datasets.reading import read_images
from src_core.training import TrainingProgress, train
from src_core.training.data import Store, load_store
from tests.support.trainings import GRID, config


@pytest.fixture(scope="session")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two anisotropic, oblong volumes of smooth noise."""
    folder = tmp_path_factory.mktemp("dataset")
    for i, shape in enumerate([(40, 56, 3), (48, 30, 2)]):
        noise = np.random.default_rng(i).normal(size=shape)
        image = (1000 * gaussian_filter(noise, (2.5, 2.5, 0))).astype(np.int16)
        affine = np.diag([1.2, 1.7, 8.0, 1.0])
        nib.save(nib.Nifti1Image(image, affine), folder / f"case{i}.nii.gz")
    return folder


@pytest.fixture(scope="session")
def store(dataset: Path) -> Store:
    return load_store(read_images(dataset), GRID, dataset / "unused")


@pytest.fixture(scope="session")
def whole(
    dataset: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, list[TrainingProgress]]:
    """An uninterrupted run."""
    out = tmp_path_factory.mktemp("runs") / "whole"
    return out, list(train(dataset, config(), out))
