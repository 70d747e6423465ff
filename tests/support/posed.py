"""A pose that is surely drawn, and the same map by SimpleITK."""

from __future__ import annotations

from typing import Any

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from src_core.cases.case import Case
from src_core.fields.posed import between_voxels
from src_core.generation import Result
from src_core.generation.pose import Pose
from tests.support.deformations import itk

__all__ = ["always", "inside", "matrix_of", "oblique_volume", "resampled"]


def always(**changes: Any) -> Pose:
    """A pose of which every part is drawn."""
    chosen = {"rotation_2d": 25, "rotation_3d": 25, "scale": (0.8, 1.2), "shift": 6, "flip": ""}
    sure = dict.fromkeys(("rotation_probability", "scale_probability", "flip_probability"), 1)
    return Pose(**{**chosen, **sure, **changes})


def oblique_volume() -> Case:
    """Noise on an oblique, anisotropic grid, with a box of labels."""
    values = np.random.default_rng(0).integers(0, 200, (30, 34, 20)).astype(np.int16)
    labels = np.zeros(values.shape, np.uint8)
    labels[8:20, 10:22, 5:15] = 2
    turned, _ = np.linalg.qr([[1.2, 0.3, 0.1], [-0.4, 0.9, 0.2], [0.05, -0.3, 1.8]])
    affine = np.eye(4)
    affine[:3, :3], affine[:3, 3] = turned * [1.2, 0.9, 1.8], [5, -7, 3]
    return Case.from_arrays(values, labels, affine=affine)


def matrix_of(result: Result) -> NDArray[np.float64]:
    """The drawn pose, (4, 4), LPS mm, as the recipe has it."""
    return np.array(result.recipe["drawn"]["pose"]["matrix_lps_mm"])


def resampled(case: Case, displacement: NDArray[np.float32], pose: NDArray[np.float64]) -> Any:
    """The image through a pose and then a displacement, by ITK in one resampling, (X, Y, Z)."""
    image = itk(case.image.astype(np.float64), case.grid)
    affine = sitk.AffineTransform(3)
    affine.SetMatrix(pose[:3, :3].ravel().tolist())
    affine.SetTranslation(pose[:3, 3].tolist())
    field = itk(displacement.astype(np.float64), case.grid, vector=True)
    both = sitk.CompositeTransform([sitk.DisplacementFieldTransform(field), affine])
    moved = sitk.Resample(image, image, both, sitk.sitkLinear, 0.0)
    return np.moveaxis(sitk.GetArrayFromImage(moved), (0, 1, 2), (2, 1, 0))


def inside(case: Case, pose: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Voxels that a pose maps into the grid, where ITK knows the displacement too."""
    inner = between_voxels(case.grid, pose, case.grid)
    voxels = np.stack(np.meshgrid(*map(np.arange, case.grid.shape), indexing="ij"), -1)
    at = voxels @ inner[:3, :3].T + inner[:3, 3]
    return np.asarray(((at >= 0) & (at <= np.array(case.grid.shape) - 1)).all(-1))
