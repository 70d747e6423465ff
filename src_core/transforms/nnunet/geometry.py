"""Where the voxels of a case that nnU-Net preprocessed lie in the case itself.

nnU-Net reads (z, y, x), transposes, crops to what is not zero, and resamples edge on edge: along
an axis of m voxels that had n, voxel i comes from ``(i + 1/2) n / m - 1/2``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from src_core.cases.grid import RAS_TO_LPS, Grid
from src_core.errors import InputError

__all__ = ["to_case"]

_REVERSED = np.eye(4)[[2, 1, 0, 3]]
# Voxels: affines are stored with this much rounding.
_NEAR = 0.05


def to_case(
    properties: Mapping[str, Any],
    shape: Sequence[int],
    transpose: Sequence[int],
    grid: Grid,
    name: str = "",
) -> NDArray[np.float64]:
    """The matrix (4, 4) from voxels of a preprocessed array to voxels (X, Y, Z) of its case.

    Args:
        properties: of the case, as nnU-Net stored them beside the array.
        shape: of the array, its three axes in space.
        transpose: ``transpose_forward`` of the plans.
        grid: the case's.
        name: of the case, for the error.

    Raises:
        InputError: nnU-Net read the case on another grid.
    """
    read = _from_read(properties, grid)
    permuted = _permuted(transpose)
    whole = np.abs(read @ permuted)[:3, :3] @ np.asarray(properties["shape_before_cropping"])
    if np.abs(whole - grid.shape).max() > _NEAR or not _is_whole(read):
        raise InputError(
            f"the deformations are of {' x '.join(map(str, grid.shape))} voxels, and nnU-Net read "
            f"{' x '.join(str(round(n)) for n in whole)}",
            where=name,
            expected="deformations of the images that nnU-Net preprocessed",
            do="make the bank from nnU-Net's raw data set",
        )
    return np.asarray(read @ permuted @ _uncropped(properties, shape))


def _uncropped(properties: Mapping[str, Any], shape: Sequence[int]) -> NDArray[np.float64]:
    """Voxels of the array -> voxels before cropping and resampling."""
    before = np.asarray(properties["shape_after_cropping_and_before_resampling"], dtype=float)
    scale = before / np.asarray(shape, dtype=float)
    corner = [low for low, _ in properties["bbox_used_for_cropping"]]
    matrix = np.diag([*scale, 1.0])
    matrix[:3, 3] = scale / 2 - 0.5 + corner
    return matrix


def _permuted(transpose: Sequence[int]) -> NDArray[np.float64]:
    """Voxels after nnU-Net's transposition -> before it."""
    return np.eye(4)[:, [*transpose, 3]]


def _from_read(properties: Mapping[str, Any], grid: Grid) -> NDArray[np.float64]:
    """Voxels as nnU-Net's reader gives them, (z, y, x) -> voxels (X, Y, Z) of the case."""
    affine = _reoriented(properties)
    if affine is None:
        return _REVERSED
    return np.asarray(np.linalg.inv(grid.affine) @ affine @ _REVERSED)


def _reoriented(properties: Mapping[str, Any]) -> NDArray[np.float64] | None:
    """The affine, voxel -> RAS mm, of a reader that turns images; None of one that does not."""
    nibabel, itk = (properties.get(key, {}) for key in ("nibabel_stuff", "sitk_stuff"))
    if "reoriented_affine" in nibabel:
        return np.asarray(nibabel["reoriented_affine"], dtype=float)
    if "original_orientation" not in itk:
        return None
    affine = np.eye(4)
    affine[:3, :3] = np.reshape(itk["direction"], (3, 3)) * np.asarray(itk["spacing"])
    affine[:3, 3] = itk["origin"]
    return np.asarray(np.diag([*RAS_TO_LPS, 1.0]) @ affine)


def _is_whole(matrix: NDArray[np.float64]) -> bool:
    """Whether it takes voxels to voxels."""
    return bool(np.abs(matrix - matrix.round()).max() < _NEAR)
