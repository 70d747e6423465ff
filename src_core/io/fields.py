"""Displacement fields in files, in any format of the table, as (X, Y, Z, 3) in LPS mm."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from src_core.cases.grid import Grid
from src_core.cases.header import header_for
from src_core.cases.synthetic import describe_header
from src_core.errors import ArgumentError, CommandName, InputError, Phrase
from src_core.io.field_files import FieldFile, content_of, holds_field, read_field_file
from src_core.io.file_format import FieldConvention
from src_core.io.formats import (
    NIFTI,
    convention_named,
    ending_of,
    field_conventions,
    format_named,
)
from src_core.io.header_rules import is_fsl_name
from src_core.io.nifti import write_nifti
from src_core.io.nifti_fields import VECTOR, not_a_field
from src_core.io.options import FieldFormat

__all__ = [
    "FieldFile",
    "FieldFormat",
    "content_of",
    "field_file",
    "holds_field",
    "is_fsl_name",
    "read_field",
    "read_field_file",
    "read_field_series",
    "write_field",
    "write_field_series",
    "write_scalar",
]

_ANY = "itk"


def write_field(
    path: str | Path,
    u_lps_mm: ArrayLike,
    grid: Grid,
    format: FieldFormat = _ANY,
    description: str = "",
) -> None:
    """Write a displacement field, float32.

    Args:
        path: .nii or .nii.gz; .mha or .nrrd by SimpleITK, where the format does not matter.
        u_lps_mm: (X, Y, Z, 3), LPS mm.
        grid: where it lies.
        format: ``itk`` is (X, Y, Z, 1, 3) with intent 1007; ``fsl`` is (X, Y, Z, 3), relative,
            for a warped image of the same grid. ITK takes a NIfTI of a single slice for 2D.
        description: words for the file's own description (NIfTI's ``descrip``, 79 bytes).

    Raises:
        InputError: it cannot be written.
        ArgumentError: not a field on this grid, or no such format.
    """
    u, path = np.asarray(u_lps_mm), Path(path)
    if u.shape != (*grid.shape, 3):
        raise ArgumentError(
            f"write_field() 'u_lps_mm' must be (X, Y, Z, 3) on the grid, got {u.shape}"
        )
    convention = _convention(path, format)
    found = format_named(path) or NIFTI
    with found.required(path):
        words = (description,) if convention.described else ()
        convention.write(path, u, grid, *words)


def _convention(path: Path, name: FieldFormat) -> FieldConvention:
    """The convention of a name that the file's ending has; ``itk`` is the ending's first."""
    named, ending = convention_named(name), ending_of(path)
    fitting = [c for c in field_conventions() if ending in c.endings]
    if named in fitting:
        return named
    if fitting and name == _ANY:
        return fitting[0]
    raise InputError(
        f"a field in the format {name} has another ending",
        where=str(path),
        expected=" or ".join(named.endings),
    )


def field_file(name: str, format: FieldFormat) -> str:
    """The file name of a field: ``displacement.nii.gz``, or ``displacement.mha``.

    Raises:
        ArgumentError: no such format.
    """
    return name + convention_named(format).endings[0]


def write_field_series(
    path: str | Path, u_lps_mm: ArrayLike, grid: Grid, description: str = ""
) -> None:
    """Write a field for each frame, (X, Y, Z, T, 3), LPS mm, as a vector image with time.

    ``description`` as for ``write_field``.

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
    header["intent_code"] = VECTOR
    describe_header(header, description)
    write_nifti(path, u, header)


def write_scalar(path: str | Path, values: ArrayLike, grid: Grid, description: str = "") -> None:
    """Write (X, Y, Z), one number per voxel, as float32; ``description`` as for ``write_field``.

    Raises:
        InputError: it cannot be written.
        ArgumentError: not on this grid.
    """
    scalar = np.asarray(values)
    if scalar.shape != grid.shape:
        raise ArgumentError(
            f"write_scalar() 'values' must be {grid.shape} as the grid, got {scalar.shape}"
        )
    header = header_for(grid, np.dtype("<f4"), grid.shape)
    describe_header(header, description)
    write_nifti(path, scalar, header)


def read_field(
    path: str | Path, format: FieldFormat | None = None, kind: str | None = None
) -> tuple[NDArray[np.float32], Grid]:
    """Read a displacement field of this or another tool.

    Args:
        path: NIfTI of shape (X, Y, Z, 1, 3), (X, Y, Z, 3) or, in 2D, (X, Y, 1, 1, 2); a vector
            image or transform of ITK's other formats where SimpleITK is installed.
        format: ``itk`` or ``fsl``, where the header does not say of which kind the field is.
        kind: of ``src_core.io.field_kinds``, whatever the header says.

    Returns:
        (X, Y, Z, 3) in LPS mm, and its grid.

    Raises:
        InputError: no such file, damaged, not a displacement field, of a kind that is not known,
            or one from the source to the new image.
    """
    u, grid = read_field_series(path, format, kind)
    if u.shape[3] > 1:
        raise not_a_field(
            f"the file has a field for each of {u.shape[3]} frames",
            str(path),
            "take one of its frames",
        )
    return u[..., 0, :], grid


def read_field_series(
    path: str | Path, format: FieldFormat | None = None, kind: str | None = None
) -> tuple[NDArray[np.float32], Grid]:
    """What ``read_field`` reads, or a field for each frame, a NIfTI of shape (X, Y, Z, T, 3).

    Returns:
        (X, Y, Z, T, 3) in LPS mm, T = 1 for one field, and its grid.
    """
    found = read_field_file(path, format, kind)
    if found.kind.forward:
        raise InputError(
            f"the file holds {found.kind.words}",
            where=str(path),
            expected="displacements from the new image to its source",
            do=Phrase("give it to ", CommandName("apply"), ", which inverts it"),
        )
    return found.displacement, found.grid
