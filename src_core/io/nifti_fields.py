"""Displacement fields in NIfTI: ITK's 5-D vectors in LPS mm, and FSL's relative warps.

Both hold u of ``I(x + u(x))``. FSL counts mm from a corner along the voxel axes, and along -x
where the affine has a positive determinant: ``u_fsl = (-+dx u_i, dy u_j, dz u_k)``.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from src_core.cases.grid import RAS_TO_LPS, Grid
from src_core.cases.header import grid_of, header_for, scaling_of
from src_core.cases.synthetic import describe_header
from src_core.cases.tiles import parts
from src_core.errors import InputError
from src_core.io.fsl import fsl_from_lps, lps_from_fsl, relative
from src_core.io.nifti import read_header, read_nifti, write_nifti

__all__ = [
    "FIELD_INTENTS",
    "VECTOR",
    "check_finite",
    "holds_nifti_field",
    "is_fsl_name",
    "not_a_field",
    "read_nifti_field",
    "write_fsl_nifti",
    "write_itk_nifti",
]

FIELD_INTENTS = VECTOR, _DISPLACEMENT, _FNIRT = 1007, 1006, 2006
_COEFFICIENTS = (2007, 2008, 2009)
_FSL_NAME = re.compile(r"(^|[^a-z])(fsl|fnirt)([^a-z]|$)")
_FIELD_NAME = re.compile(
    r"(^|[^a-z])(fsl|fnirt|ddf|dvf|field|warp|warpfield|displacements?|deformation)([^a-z]|$)"
)


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


def is_fsl_name(path: str | Path) -> bool:
    """Whether a file's name says ``fsl`` or ``fnirt`` as a word: ``warp_fsl.nii.gz``."""
    return _FSL_NAME.search(Path(path).name.lower()) is not None


def holds_nifti_field(path: Path) -> bool:
    """Whether the header is that of a field: five axes, one frame, 3 components (2 in one slice).

    With four axes the last of which is 3, its intent or, without one, its name has to say so.
    """
    header = read_header(path)
    shape = [int(n) for n in header["dim"][1 : int(header["dim"][0]) + 1]]
    intent = int(header["intent_code"])
    if len(shape) == 5:
        return shape[3] == 1 and (shape[4] == 3 or (shape[4] == 2 and shape[2] == 1))
    if len(shape) != 4:
        return False
    named = intent == 0 and _FIELD_NAME.search(path.name.lower()) is not None
    declared = named or intent in FIELD_INTENTS
    return intent in _COEFFICIENTS or (declared and shape[3] in ((2, 3) if shape[2] == 1 else (3,)))


def read_nifti_field(path: Path, fsl: bool | None = None) -> tuple[NDArray[Any], Grid]:
    """(X, Y, Z, T, 3) in LPS mm, of a file of shape (X, Y, Z, T, 3), (X, Y, Z, 3) or (X, Y, 1, 2).

    Args:
        path: the file.
        fsl: whether it is FSL's, relative or absolute, which FSL's own rule distinguishes.
            Without: by FNIRT's intent, or by a name that says so where there is no intent.

    Raises:
        InputError: no such file, damaged, or not a displacement field.
    """
    stored, header = read_nifti(path)
    grid, intent = grid_of(header, str(path)), int(header["intent_code"])
    if intent in _COEFFICIENTS:
        raise not_a_field(
            "these are FNIRT's coefficients", str(path), "turn them into a field: fnirtfileutils"
        )
    u = _components(stored, grid, str(path))
    slope, inter = scaling_of(header)
    u = u if (slope, inter) == (1.0, 0.0) else u * slope + inter
    if fsl is None:
        fsl = intent == _FNIRT or (intent == 0 and is_fsl_name(path))
    if fsl:
        check_finite(u, str(path))
        frames = [lps_from_fsl(relative(one, grid), grid) for one in np.moveaxis(u, 3, 0)]
        return np.stack(frames, axis=3), grid
    # NIfTI defines this intent in RAS, and ITK reads it so.
    return (u * RAS_TO_LPS if intent == _DISPLACEMENT else u), grid


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
