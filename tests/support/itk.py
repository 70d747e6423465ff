"""Grids, images and fields for SimpleITK, ANTs and FSL."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from src_core.cases.grid import RAS_TO_LPS, Grid

__all__ = ["SHAPE", "field", "grid", "itk_image", "smooth", "write_series"]


SHAPE = (14, 11, 8)


def grid(flip: float = 1.0, shape: tuple[int, int, int] = SHAPE) -> Grid:
    affine = np.eye(4)
    turn = Rotation.from_euler("xyz", (9, -21, 33), degrees=True).as_matrix()
    affine[:3, :3] = turn * [flip * 1.25, 0.8, 2.5]
    affine[:3, 3] = 21, -17, 5.5
    return Grid(shape, affine)


def smooth(shape: tuple[int, ...] = SHAPE) -> NDArray[np.float64]:
    x, y, z = np.meshgrid(*[np.linspace(0, 1, n) for n in shape[:3]], indexing="ij")
    return 60 + 20 * np.sin(3 * x + y) + 15 * np.cos(2 * y - 3 * z)


def field(where: Grid) -> NDArray[np.float32]:
    """LPS mm, different along every axis, at most about a voxel and a half."""
    x, y, z = np.meshgrid(*[np.linspace(0, 1, n) for n in where.shape], indexing="ij")
    u = np.stack([1.2 * np.sin(3 * y + z), np.cos(3 * x) - z, 0.6 * np.sin(2 * x + y)], -1)
    return where.to_lps_mm(u).astype(np.float32)


def itk_image(values: NDArray[Any], where: Grid) -> sitk.Image:
    image = sitk.GetImageFromArray(np.ascontiguousarray(values.transpose(2, 1, 0)))
    image.SetSpacing(where.spacing)
    image.SetDirection((RAS_TO_LPS[:, None] * where.direction).ravel().tolist())
    image.SetOrigin((RAS_TO_LPS * where.affine[:3, 3]).tolist())
    return image


def write_series(folder: Path, values: NDArray[Any], where: Grid, uid: str = "1.2.3.4") -> None:
    """A DICOM series, one file a slice, with a slope; written out of order."""
    folder.mkdir(exist_ok=True)
    image = itk_image(values, where)
    axes = image.GetDirection()
    writer = sitk.ImageFileWriter()
    writer.KeepOriginalImageUIDOn()
    for z in range(image.GetSize()[2]):
        one = image[:, :, z]
        place = image.TransformIndexToPhysicalPoint((0, 0, z))
        tags = {
            "0008|0060": "MR",
            "0020|000e": f"{uid}.{sum(map(ord, folder.name))}",
            "0020|000d": "1.2.3",
            "0008|0018": f"{uid}.9.{z + 1}",
            "0020|0013": str(z + 1),
            "0020|0032": "\\".join(f"{v:.9g}" for v in place),
            "0020|0037": "\\".join(f"{axes[i]:.9g}" for i in (0, 3, 6, 1, 4, 7)),
            "0018|0050": f"{where.spacing[2]:.9g}",
        }
        for tag, value in tags.items():
            one.SetMetaData(tag, value)
        writer.SetFileName(str(folder / f"{(z * 7 + 3) % image.GetSize()[2]:03d}.dcm"))
        writer.Execute(one)
