"""Cases as files with every kind of grid and data type, and what ``generate`` makes of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from src_core.cases.case import Case
from src_core.generation import Result
from src_core.phantom import cardiac_phantom

__all__ = [
    "MADE",
    "OPTIONS",
    "Made",
    "Source",
    "every_case",
    "linear_lps",
    "rotated",
    "slice_axis",
    "sources",
    "voxel_field",
    "write",
    "write_scaled",
]


OPTIONS = {"level": 55, "seed": 3, "steps": 3}


MADE = (
    "phantom",
    "oblique",
    "flipped",
    "axes swapped",
    "float32",
    "scaled",
    "negative",
    "uint8",
    "acdc first",
    "acdc last",
)


every_case = pytest.mark.parametrize("name", MADE)


@dataclass(frozen=True)
class Source:
    """What a case is made of."""

    image: NDArray[np.generic]
    labels: NDArray[np.generic]
    affine: NDArray[np.float64]
    scaling: tuple[float, float] | None = None


def rotated(affine: NDArray[np.float64]) -> NDArray[np.float64]:
    turn = np.eye(4)
    turn[:3, :3] = Rotation.from_euler("xyz", (14, -23, 37), degrees=True).as_matrix()
    return turn @ affine


def sources(data_dir: Path | None) -> dict[str, Source]:
    made = cardiac_phantom(1, slices=3, phases=1, shape=(96, 84), spacing=(1.7, 2.1, 8.0))
    image, labels, affine = made.image[..., 0], made.labels[..., 0], made.affine
    flip = np.diag([-1.0, 1, 1, 1])
    flip[0, 3] = image.shape[0] - 1
    swap = np.eye(4)[:, [2, 0, 1, 3]]
    found = {
        "phantom": Source(image, labels, affine),
        "oblique": Source(image, labels, rotated(affine)),
        "flipped": Source(image[::-1], labels[::-1].astype(np.int16), rotated(affine) @ flip),
        "axes swapped": Source(
            image.transpose(2, 0, 1), labels.transpose(2, 0, 1), rotated(affine) @ swap
        ),
        "float32": Source((image / image.max()).astype(np.float32), labels, affine),
        "scaled": Source(image, labels, affine, (0.5, 5.0)),
        "negative": Source(image, labels, affine, (2.0, -1024.0)),
        "uint8": Source((image / image.max() * 255).astype(np.uint8), labels, affine),
    }
    if data_dir is not None:
        volumes = sorted((data_dir / "acdc" / "images").iterdir())
        for name, path in (("acdc first", volumes[0]), ("acdc last", volumes[-1])):
            stored, labelled = nib.load(path), nib.load(data_dir / "acdc" / "labels" / path.name)
            pair = [np.asarray(v.dataobj)[:, :, 2:5] for v in (stored, labelled)]
            found[name] = Source(pair[0], pair[1], stored.affine)
    return found


def write(path: Path, data: NDArray[np.generic], source: Source) -> Path:
    image = nib.Nifti1Image(np.ascontiguousarray(data), source.affine)
    image.header.set_xyzt_units("mm", "sec")
    nib.save(image, path)
    return path


def write_scaled(path: Path, source: Source) -> Path:
    """Slope and intercept around stored values, which nibabel would choose itself."""
    header = nib.Nifti1Header()
    header.set_data_shape(source.image.shape)
    header.set_data_dtype(source.image.dtype)
    header.set_sform(source.affine, 1)
    header.set_qform(source.affine, 1)
    header["vox_offset"] = 352
    header["scl_slope"], header["scl_inter"] = source.scaling
    path.write_bytes(header.binaryblock + bytes(4) + source.image.tobytes(order="F"))
    return path


@dataclass(frozen=True)
class Made:
    """A case in files, and what was generated from it, in files."""

    source: Source
    case: Case
    result: Result
    given: Path
    out: Path


def linear_lps(affine: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.diag([-1.0, -1, 1]) @ affine[:3, :3]


def voxel_field(path: Path) -> NDArray[np.float64]:
    """(X, Y, Z, 3) in voxels of its own grid, read by nibabel."""
    stored = nib.load(path)
    field = np.asarray(stored.dataobj, dtype=np.float64)[:, :, :, 0]
    return field @ np.linalg.inv(linear_lps(stored.affine)).T


def slice_axis(source: Source) -> int:
    return int(np.argmax(np.linalg.norm(source.affine[:3, :3], axis=0)))
