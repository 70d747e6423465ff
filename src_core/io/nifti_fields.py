"""Vectors in NIfTI: what the header says of them, and fields written for ITK and for FSL.

Both hold u of ``I(x + u(x))``. FSL counts mm from a corner along the voxel axes, and along -x
where the affine has a positive determinant: ``u_fsl = (-+dx u_i, dy u_j, dz u_k)``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from src_core.cases.grid import Grid
from src_core.cases.header import grid_of, header_for, scaling_of
from src_core.cases.synthetic import describe_header
from src_core.cases.tiles import parts
from src_core.errors import InputError
from src_core.io.fsl import fsl_from_lps
from src_core.io.headers import Header
from src_core.io.nifti import read_header, read_nifti, write_nifti

__all__ = [
    "VECTOR",
    "check_finite",
    "described",
    "nifti_header",
    "not_a_field",
    "read_nifti_vectors",
    "write_fsl_nifti",
    "write_itk_nifti",
]

VECTOR, _FNIRT = 1007, 2006
_AFNI_EXTENSION = 4
_AFNI_LABELS = re.compile(rb'BRICK_LABS.*?>\s*"?([^<"]*)', re.DOTALL)


def write_itk_nifti(path: Path, u: NDArray[Any], grid: Grid, description: str = "") -> None:
    """Write (X, Y, Z, 3), LPS mm, as (X, Y, Z, 1, 3) with intent 1007, float32.

    Raises:
        InputError: it cannot be written.
    """
    _write(path, u[..., None, :], grid, VECTOR, description)


def write_fsl_nifti(path: Path, u: NDArray[Any], grid: Grid, description: str = "") -> None:
    """Write (X, Y, Z, 3), LPS mm, as FSL's relative warp for an image of the same grid, float32.

    Raises:
        InputError: it cannot be written.
    """
    _write(path, fsl_from_lps(u, grid), grid, _FNIRT, description)


def _write(path: Path, values: NDArray[Any], grid: Grid, intent: int, description: str) -> None:
    header = header_for(grid, np.dtype("<f4"), values.shape)
    header["intent_code"] = intent
    describe_header(header, description)
    write_nifti(path, values, header)


def nifti_header(path: Path) -> Header:
    """What a NIfTI header says of its values.

    Raises:
        InputError: no such file, or not a NIfTI file.
    """
    header = read_header(path)
    shape = [int(n) for n in header["dim"][1 : int(header["dim"][0]) + 1]]
    extensions = getattr(header, "extensions", [])
    return described(header, shape, path.name.lower(), extensions)


def described(
    header: nib.Nifti1Header, shape: Sequence[int], name: str, extensions: Sequence[Any] = ()
) -> Header:
    """What a NIfTI header says of values of this shape, in a file of this name, lower case."""
    ndim = 2 if len(shape) > 2 and shape[2] == 1 else 3
    floating = header.get_data_dtype().kind == "f" or scaling_of(header) != (1.0, 0.0)
    last, first = shape[-1], len(shape) == 4 and shape[0] == 3 != shape[3] and floating
    known = Header("NIfTI", name, ndim, 1, bool(floating),
        intent=int(header["intent_code"]),
        intent_name=_text(header["intent_name"]),
        intent_p1=float(header["intent_p1"]),
        description=_text(header["descrip"]),
        labels=_afni_labels(extensions),
    )  # fmt: skip
    if len(shape) == 5 and last > 1:
        return replace(known, count=last, frames=shape[3], stacked=True)
    if len(shape) == 4 and (last == 3 or (last == 2 and ndim == 2)):
        return replace(known, count=last)
    if first:
        return replace(known, count=3, first=True)
    return replace(known, frames=last if len(shape) == 4 else 1)


def _text(value: Any) -> str:
    return bytes(value.item() if hasattr(value, "item") else value).rstrip(b"\0").decode("latin-1")


def _afni_labels(extensions: Sequence[Any]) -> str:
    """Names of sub-bricks in AFNI's extension."""
    for extension in extensions:
        if extension.get_code() == _AFNI_EXTENSION:
            found = _AFNI_LABELS.search(bytes(extension.get_content()))
            if found:
                return found.group(1).decode("latin-1").strip()
    return ""


def read_nifti_vectors(path: Path) -> tuple[NDArray[Any], Grid]:
    """Vectors (X, Y, Z, T, 3) as a file holds them, and their grid.

    Of a file of shape (X, Y, Z, T, 3), (X, Y, Z, 3), (X, Y, 1, 2) or (3, X, Y, Z).

    Raises:
        InputError: no such file, damaged, or of another shape.
    """
    stored, header = read_nifti(path)
    if described(header, stored.shape, "").first:
        stored = np.moveaxis(stored, 0, 3)
        header = header.copy()
        header.set_data_shape(stored.shape)
    grid = grid_of(header, str(path))
    u = _components(stored, grid, str(path))
    slope, inter = scaling_of(header)
    return (u if (slope, inter) == (1.0, 0.0) else u * slope + inter), grid


def _components(stored: NDArray[Any], grid: Grid, where: str) -> NDArray[Any]:
    """Stored values with an axis of time: (X, Y, Z, T, 3)."""
    axes = stored.ndim
    count = stored.shape[-1]
    planar = count == 2 and grid.shape[2] == 1
    if axes not in (4, 5) or not (count == 3 or planar):
        raise not_a_field(f"the file has shape {stored.shape}", where)
    frames = stored.shape[3] if axes == 5 else 1
    vectors = stored.reshape((*grid.shape, frames, count), order="F")  # large, so not copied
    if count == 3:
        return vectors
    u = np.zeros((*grid.shape, frames, 3))
    u[..., :count] = vectors
    return u


def check_finite(u: NDArray[Any], where: str) -> None:
    """Refuse a field (X, Y, Z, ...) with values that are not finite, a part of it at a time.

    Raises:
        InputError: there are such values.
    """
    if not all(np.isfinite(u[:, :, part]).all() for part in parts(u.shape[:3], 2)):
        raise not_a_field("the field has values that are NaN or infinite", where)


def not_a_field(
    what: str, where: str, do: str = "write it as NIfTI from the tool that made it"
) -> InputError:
    """The error of a file that is read as a field."""
    return InputError(
        what,
        where=where,
        expected="a displacement field in mm, (X, Y, Z, 1, 3) or (X, Y, Z, 3)",
        do=do,
    )
