"""Voxels of enhanced DICOM files: frames in the order of their grid, segments as labels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from src_core.errors import InputError
from src_core.io.dicom.places import Stack

__all__ = ["frame_values", "segment_labels"]


def frame_values(stack: Stack, where: str) -> NDArray[Any]:
    """Physical values, (X, Y, Z), or (X, Y, Z, T) where several frames lie at each place.

    Raises:
        InputError: the voxels cannot be decoded, or frames at one place have no order.
    """
    _check_order(stack, where)
    pixels = _pixels(stack.planes[0][0].file, sum(map(len, stack.planes)))
    planes = [plane for one in stack.planes for plane in one]
    plain = all((plane.slope, plane.intercept) == (1, 0) for plane in planes)
    kind = pixels.dtype if plain else np.dtype(np.float32)
    volumes = [
        np.stack([_physical(pixels, one[time], kind) for one in stack.planes], axis=-1)
        for time in range(len(stack.planes[0]))
    ]
    return volumes[0] if len(volumes) == 1 else np.stack(volumes, axis=-1)


def segment_labels(stack: Stack, where: str) -> NDArray[np.uint16]:
    """The number of the segment that each voxel is in, (X, Y, Z), 0 for none.

    Raises:
        InputError: segments overlap, or are fractions.
    """
    file = next(plane.file for one in stack.planes for plane in one)
    pixels = _pixels(file, sum(map(len, stack.planes)))
    if pixels.max(initial=0) > 1:
        raise InputError(
            "the segmentation is one of fractions",
            where=where,
            expected="a binary segmentation",
            do="export it as binary, or as .nii.gz",
        )
    labels = np.zeros(stack.grid.shape, dtype=np.uint16)
    for z, one in enumerate(stack.planes):
        for plane in one:
            inside = pixels[plane.frame].T > 0
            if (labels[:, :, z][inside] > 0).any():
                raise InputError(
                    "segments overlap",
                    where=where,
                    expected="at most one segment at each voxel",
                    do="export each segment into a file of its own",
                )
            labels[:, :, z][inside] = plane.segment
    return labels


def _physical(pixels: NDArray[Any], plane: Any, kind: np.dtype[Any]) -> NDArray[Any]:
    """(X, Y) of one frame."""
    stored = pixels[plane.frame].T
    if kind == stored.dtype:
        return np.asarray(stored)
    return np.asarray(stored * plane.slope + plane.intercept, dtype=kind)


def _check_order(stack: Stack, where: str) -> None:
    """Frames at one place are volumes where the file numbers them."""
    for one in stack.planes:
        if len(one) > 1 and len({plane.order for plane in one}) < len(one):
            raise InputError(
                f"{len(one)} frames lie at one place, without an order",
                where=where,
                expected="DimensionIndexValues or TemporalPositionIndex in each",
                do="convert it to .nii.gz (dcm2niix)",
            )


def _pixels(file: Path, count: int) -> NDArray[Any]:
    """Stored values, (frames, rows, columns)."""
    import pydicom

    try:
        pixels = pydicom.dcmread(file).pixel_array
    except Exception as error:  # decoders raise many kinds
        raise InputError(
            "its voxels cannot be decoded",
            where=str(file),
            expected="uncompressed or run-length coded voxels",
            do="decompress it (dcmdjpeg), or convert it to .nii.gz",
        ) from error
    frames = np.asarray(pixels if pixels.ndim == 3 else pixels[None])
    if len(frames) < count:
        raise InputError(
            f"the file holds {len(frames)} of {count} frames",
            where=str(file),
            expected="a complete DICOM file",
            do="export it again",
        )
    return frames
