"""Displacement fields in files: ITK's 5-D NIfTI in LPS mm, and FSL's relative warps.

Both hold u of ``I(x + u(x))``. FSL counts mm from a corner along the voxel axes, and along -x
where the affine has a positive determinant: ``u_fsl = (-+dx u_i, dy u_j, dz u_k)``.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from src_core.cases.grid import RAS_TO_LPS, Grid
from src_core.cases.header import grid_of, header_for, scaling_of
from src_core.cases.tiles import parts
from src_core.errors import ArgumentError, DRDMError, InputError
from src_core.io.fsl import fsl_from_lps, lps_from_fsl, relative
from src_core.io.itk import (
    ITK_ENDINGS,
    SINGLE_ENDINGS,
    holds_itk_field,
    read_itk_field,
    write_itk_field,
)
from src_core.io.nifti import read_header, read_nifti, write_nifti
from src_core.io.options import FieldFormat
from src_core.io.reach import check_reachable

__all__ = [
    "FIELD_INTENTS",
    "FieldFormat",
    "field_file",
    "holds_field",
    "is_fsl_name",
    "read_field",
    "read_field_series",
    "write_field",
    "write_field_series",
    "write_scalar",
]

FIELD_INTENTS = _VECTOR, _DISPLACEMENT, _FNIRT = 1007, 1006, 2006
_COEFFICIENTS = (2007, 2008, 2009)
_FSL_NAME = re.compile(r"(^|[^a-z])(fsl|fnirt)([^a-z]|$)")
_FIELD_NAME = re.compile(
    r"(^|[^a-z])(fsl|fnirt|ddf|dvf|field|warp|warpfield|displacements?|deformation)([^a-z]|$)"
)


def write_field(
    path: str | Path, u_lps_mm: ArrayLike, grid: Grid, format: FieldFormat = "itk"
) -> None:
    """Write a displacement field, float32.

    Args:
        path: .nii or .nii.gz; .mha or .nrrd by SimpleITK, where the format does not matter.
        u_lps_mm: (X, Y, Z, 3), LPS mm.
        grid: where it lies.
        format: ``itk`` is (X, Y, Z, 1, 3) with intent 1007; ``fsl`` is (X, Y, Z, 3), relative,
            for a warped image of the same grid. ITK takes a NIfTI of a single slice for 2D.

    Raises:
        InputError: it cannot be written.
        ArgumentError: not a field on this grid.
    """
    u = np.asarray(u_lps_mm)
    if u.shape != (*grid.shape, 3) or format not in get_args(FieldFormat):
        raise ArgumentError(
            f"write_field() needs (X, Y, Z, 3) on the grid and a format of "
            f"{', '.join(get_args(FieldFormat))}, got {u.shape} and {format!r}"
        )
    if format != "fsl" and str(path).lower().endswith(SINGLE_ENDINGS):
        write_itk_field(path, u, grid)
        return
    fsl = format == "fsl"
    values = fsl_from_lps(u, grid) if fsl else u[..., None, :]
    header = header_for(grid, np.dtype("<f4"), values.shape)
    header["intent_code"] = _FNIRT if fsl else _VECTOR
    write_nifti(path, values, header)


def field_file(name: str, format: FieldFormat) -> str:
    """The file of a field called so: ``displacement.nii.gz``, or ``displacement.mha``."""
    return f"{name}.mha" if format == "mha" else f"{name}.nii.gz"


def write_field_series(path: str | Path, u_lps_mm: ArrayLike, grid: Grid) -> None:
    """Write a field for each frame, (X, Y, Z, T, 3), LPS mm, as a vector image with time.

    Raises:
        InputError: it cannot be written.
        ArgumentError: not on this grid.
    """
    u = np.asarray(u_lps_mm)
    if u.ndim != 5 or u.shape[:3] != grid.shape or u.shape[4] != 3:
        raise ArgumentError(
            f"write_field_series() 'u_lps_mm' must be (X, Y, Z, T, 3) on the grid, got {u.shape}"
        )
    header = header_for(grid, np.dtype("<f4"), u.shape)
    header["intent_code"] = _VECTOR
    write_nifti(path, u, header)


def write_scalar(path: str | Path, values: ArrayLike, grid: Grid) -> None:
    """Write (X, Y, Z), one number per voxel, as float32.

    Raises:
        InputError: it cannot be written.
        ArgumentError: not on this grid.
    """
    scalar = np.asarray(values)
    if scalar.shape != grid.shape:
        raise ArgumentError(
            f"write_scalar() 'values' must be {grid.shape} as the grid, got {scalar.shape}"
        )
    write_nifti(path, scalar, header_for(grid, np.dtype("<f4"), grid.shape))


def is_fsl_name(path: str | Path) -> bool:
    """Whether a file's name says ``fsl`` or ``fnirt`` as a word: ``warp_fsl.nii.gz``."""
    return _FSL_NAME.search(Path(path).name.lower()) is not None


def holds_field(path: str | Path) -> bool:
    """Whether a file is a displacement field and no image, as far as its first bytes tell.

    A NIfTI file is one with five axes, one frame and 3 components (2 in a single slice); with four
    axes the last of which is 3, its intent or, without an intent, its name has to say so.
    """
    try:
        if str(path).lower().endswith(ITK_ENDINGS):
            return holds_itk_field(path)
        header = read_header(path)
    except (DRDMError, OSError):
        return False
    shape = [int(n) for n in header["dim"][1 : int(header["dim"][0]) + 1]]
    intent = int(header["intent_code"])
    if len(shape) == 5:
        return shape[3] == 1 and (shape[4] == 3 or (shape[4] == 2 and shape[2] == 1))
    if len(shape) != 4:
        return False
    named = intent == 0 and _FIELD_NAME.search(Path(path).name.lower()) is not None
    told = named or intent in FIELD_INTENTS
    return intent in _COEFFICIENTS or (told and shape[3] in ((2, 3) if shape[2] == 1 else (3,)))


def read_field(
    path: str | Path, format: FieldFormat | None = None
) -> tuple[NDArray[np.float32], Grid]:
    """Read a displacement field of this or another tool.

    Args:
        path: NIfTI of shape (X, Y, Z, 1, 3), (X, Y, Z, 3) or, in 2D, (X, Y, 1, 1, 2); a vector
            image or transform of ITK's other formats where SimpleITK is installed.
        format: without one, FNIRT's intent 2006, or a name that says so where there is no intent,
            means ``fsl``, and anything else ``itk``. FSL's absolute warps are told as FSL does.

    Returns:
        (X, Y, Z, 3) in LPS mm, and its grid.

    Raises:
        InputError: no such file, damaged, or not a displacement field.
    """
    u, grid = read_field_series(path, format)
    if u.shape[3] > 1:
        raise _not_a_field(
            f"the file has a field for each of {u.shape[3]} frames",
            str(path),
            "take one of its frames",
        )
    return u[..., 0, :], grid


def read_field_series(
    path: str | Path, format: FieldFormat | None = None
) -> tuple[NDArray[np.float32], Grid]:
    """What ``read_field`` reads, or a field for each frame, a NIfTI of shape (X, Y, Z, T, 3).

    Returns:
        (X, Y, Z, T, 3) in LPS mm, T = 1 for one field, and its grid.
    """
    check_reachable(path)
    if str(path).lower().endswith(ITK_ENDINGS):
        u, grid = read_itk_field(path)
        return _finite(u, str(path)).astype(np.float32)[..., None, :], grid
    stored, header = read_nifti(path)
    grid, intent = grid_of(header, str(path)), int(header["intent_code"])
    if intent in _COEFFICIENTS:
        raise _not_a_field(
            "these are FNIRT's coefficients", str(path), "turn them into a field: fnirtfileutils"
        )
    components = _components(stored, grid, str(path))
    slope, inter = scaling_of(header)
    scaled = components if (slope, inter) == (1.0, 0.0) else components * slope + inter
    u = _finite(scaled, str(path))
    named = intent == 0 and is_fsl_name(path)
    if format == "fsl" or (format is None and (intent == _FNIRT or named)):
        frames = [lps_from_fsl(relative(one, grid), grid) for one in np.moveaxis(u, 3, 0)]
        u = np.stack(frames, axis=3)
    elif intent == _DISPLACEMENT:
        u = u * RAS_TO_LPS  # NIfTI defines this intent in RAS, and ITK reads it so
    return u.astype(np.float32, copy=False), grid


def _finite(u: NDArray[Any], where: str) -> NDArray[Any]:
    if not all(np.isfinite(u[:, :, part]).all() for part in parts(u.shape[:3], 2)):
        raise _not_a_field("the field has values that are NaN or infinite", where)
    return u


def _components(stored: NDArray[Any], grid: Grid, where: str) -> NDArray[Any]:
    """Stored values with an axis of time: (X, Y, Z, T, 3)."""
    axes = stored.ndim
    count = stored.shape[-1]
    planar = count == 2 and grid.shape[2] == 1
    if axes not in (4, 5) or not (count == 3 or planar):
        raise _not_a_field(f"the file has shape {stored.shape}", where)
    frames = stored.shape[3] if axes == 5 else 1
    vectors = stored.reshape((*grid.shape, frames, count), order="F")  # large, so not copied
    if count == 3:
        return vectors
    u = np.zeros((*grid.shape, frames, 3))
    u[..., :count] = vectors
    return u


def _not_a_field(
    what: str, where: str, do: str = "write it as NIfTI from the tool that made it"
) -> InputError:
    return InputError(
        what,
        where=where,
        expected="a displacement field in mm, (X, Y, Z, 1, 3) or (X, Y, Z, 3)",
        do=do,
    )
