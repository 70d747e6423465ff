"""NIfTI headers and grids: direction and spacing as ITK reads them, and written back.

The sform is used where its axes are at right angles and no other qform contradicts it, else the
qform; spacing comes from the zooms, since an sform may lack it. Without either: LPS axes, origin 0.
"""

from __future__ import annotations

from typing import Any

import nibabel as nib
import numpy as np
from nibabel.quaternions import quat2mat
from nibabel.spatialimages import HeaderDataError
from numpy.typing import NDArray

from src_core.cases.grid import RAS_TO_LPS, Grid
from src_core.errors import InputError

__all__ = ["STORABLE", "grid_of", "header_for", "scaling_of", "set_geometry"]

STORABLE = ("u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8", "f4", "f8")
_UNIT_MM = {1: 1e3, 2: 1.0, 3: 1e-3}
_SAME = 1e-4


def grid_of(header: nib.Nifti1Header, where: str = "") -> Grid:
    """The grid of a header's first three axes, mm.

    Raises:
        InputError: it has neither a usable sform nor a qform.
    """
    dim = [int(n) for n in header["dim"]]
    shape = [dim[axis] if axis <= dim[0] else 1 for axis in (1, 2, 3)]
    world = _world(header, where)
    columns = world[:3, :3] / np.linalg.norm(world[:3, :3], axis=0)
    affine = np.eye(4)
    affine[:3, :3] = columns * _zooms(header)
    affine[:3, 3] = world[:3, 3]
    affine[:3] *= _UNIT_MM.get(int(header["xyzt_units"]) & 7, 1.0)
    if abs(np.linalg.det(columns)) < _SAME:
        raise _no_orientation(where)
    return Grid((shape[0], shape[1], shape[2]), affine)


def header_for(grid: Grid, dtype: np.dtype[Any], shape: tuple[int, ...]) -> nib.Nifti1Header:
    """A little-endian header, in mm and seconds, for an array of this type and shape.

    Raises:
        InputError: a side too long for NIfTI.
    """
    header = nib.Nifti1Header(endianness="<")
    try:
        header.set_data_shape(shape)
    except HeaderDataError as error:
        raise InputError(
            f"a shape of {shape} does not fit a NIfTI header", expected="sides below 32768"
        ) from error
    header.set_data_dtype(dtype)
    header.set_xyzt_units("mm", "sec")
    header["scl_slope"], header["scl_inter"] = 1, 0
    header["vox_offset"] = header.single_vox_offset
    set_geometry(header, grid)
    return header


def set_geometry(header: nib.Nifti1Header, grid: Grid) -> None:
    """Put a grid into a header: sform always, qform where it can hold it, zooms in its units."""
    mm = _UNIT_MM.get(int(header["xyzt_units"]) & 7, 1.0)
    affine = grid.affine.copy()
    affine[:3] /= mm
    header["pixdim"][1:4] = np.asarray(grid.spacing) / mm
    header.set_sform(affine, code=1)
    header.set_qform(affine, code=0 if grid.sheared else 1)
    header["pixdim"][1:4] = np.asarray(grid.spacing) / mm


def scaling_of(header: nib.Nifti1Header) -> tuple[float, float]:
    """(slope, intercept) from stored to physical values; (1, 0) where the header sets none."""
    slope, inter = float(header["scl_slope"]), float(header["scl_inter"])
    if not np.isfinite(slope) or slope == 0 or not np.isfinite(inter):
        return 1.0, 0.0
    return slope, inter


def _world(header: nib.Nifti1Header, where: str) -> NDArray[np.float64]:
    has_s, has_q = int(header["sform_code"]) > 0, int(header["qform_code"]) > 0
    if not has_s and not has_q:
        return np.diag([*RAS_TO_LPS, 1.0])
    if not has_s:
        return _qform(header)
    sform = _sform(header)
    if has_q and not (_right_angles(sform) and _sform_wins(header, sform)):
        return _qform(header)
    if not np.isfinite(sform).all() or not np.linalg.norm(sform[:3, :3], axis=0).all():
        raise _no_orientation(where)
    return sform


def _sform_wins(header: nib.Nifti1Header, sform: NDArray[np.float64]) -> bool:
    """ITK's rule for two forms: a scanner sform, or one that says the same as the qform."""
    if int(header["sform_code"]) == 1:
        return True
    return bool(np.allclose(sform, _qform(header), rtol=0, atol=_SAME))


def _sform(header: nib.Nifti1Header) -> NDArray[np.float64]:
    rows = [np.asarray(header[f"srow_{axis}"], dtype=np.float64) for axis in "xyz"]
    return np.vstack([*rows, [0, 0, 0, 1]])


def _qform(header: nib.Nifti1Header) -> NDArray[np.float64]:
    imaginary = np.array([header[f"quatern_{c}"] for c in "bcd"], dtype=np.float64)
    real = np.sqrt(max(0.0, 1 - float(imaginary @ imaginary)))
    zooms = _zooms(header)
    zooms[2] *= -1 if float(header["pixdim"][0]) < 0 else 1
    affine = np.eye(4)
    affine[:3, :3] = quat2mat([real, *imaginary]) * zooms
    affine[:3, 3] = [float(header[f"qoffset_{axis}"]) for axis in "xyz"]
    return affine


def _zooms(header: nib.Nifti1Header) -> NDArray[np.float64]:
    zooms = np.abs(np.asarray(header["pixdim"][1:4], dtype=np.float64))
    return np.where(np.isfinite(zooms) & (zooms > 0), zooms, 1.0)


def _right_angles(world: NDArray[np.float64]) -> bool:
    norms = np.linalg.norm(world[:3, :3], axis=0)
    if not np.isfinite(world).all() or not norms.all():
        return False
    columns = world[:3, :3] / norms
    return bool(np.abs(columns @ columns.T - np.eye(3)).max() <= _SAME)


def _no_orientation(where: str) -> InputError:
    return InputError(
        "the header's orientation cannot be inverted",
        where=where,
        expected="an sform or qform with three different axes",
        do="correct its sform or qform",
    )
