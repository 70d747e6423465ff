"""What an image and a label map must be; an error says in one line what they are not."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from src_core.cases.grid import Grid
from src_core.cases.header import STORABLE
from src_core.cases.volume import Image, LabelMap, Volume
from src_core.errors import InputError

__all__ = ["check_image", "check_labels", "check_same_grid", "check_shape", "check_type"]

_RELATIVE = 1e-3
#: Above this not every whole number is a float64.
_LARGEST = 2.0**53
_OF_A_VOXEL = 0.1


def check_type(dtype: np.dtype[Any], where: str) -> None:
    """Refuse what is not one real number per voxel."""
    if dtype.kind + str(dtype.itemsize) in STORABLE:
        return
    colour = dtype.fields is not None or dtype.kind == "c"
    raise InputError(
        "voxels are colours or complex numbers" if colour else f"voxels are of type {dtype}",
        where=where,
        expected="integers of 8 to 64 bits, float32 or float64",
        do="save one real value per voxel (a grey or magnitude image)"
        if colour
        else "convert the image",
    )


def check_shape(shape: tuple[int, ...], where: str) -> None:
    """Refuse what is not (X, Y, Z) or (X, Y, Z, T), X and Y at least 2."""
    sizes = " x ".join(str(n) for n in shape) or "no axes"
    if len(shape) not in (3, 4):
        problem, do = f"the image has {len(shape)} axes ({sizes})", "take one volume of it"
    elif min(shape) < 1:
        problem, do = f"the image is empty ({sizes})", "export it again"
    elif min(shape[:2]) < 2:
        problem, do = f"the image is one voxel wide ({sizes})", "make its one slice the last axis"
    else:
        return
    raise InputError(
        problem, where=where, expected="2 or 3 axes, or 4 with time, the first two above 1", do=do
    )


def check_image(image: Image, where: str, flat: bool = False) -> None:
    """Refuse values that are not finite and, unless ``flat``, an image of one value."""
    _check_finite(image.data, where)
    if not flat and image.data.min() == image.data.max():
        raise InputError(
            f"every voxel is {image.data.flat[0]}",
            where=where,
            expected="an image with some contrast",
            do="check how it was exported",
        )


def check_labels(labels: LabelMap, image: Image, where: str) -> None:
    """Refuse fractions, and a shape or a number of frames that is not the image's."""
    _check_finite(labels.data, where)
    if labels.shape != image.shape or (labels.data.ndim == 4 and labels.frames != image.frames):
        raise InputError(
            f"labels are {_shape_text(labels)} but the image is {_shape_text(image)}",
            where=where,
            expected="labels on the image's own grid, for all frames or for each",
            do="resample the labels to the image",
        )
    if labels.data.dtype.kind == "f":
        fractions = int(np.count_nonzero(labels.data != np.rint(labels.data)))
        if fractions:
            raise InputError(
                f"{fractions} label values are not whole numbers",
                where=where,
                expected="one integer per voxel",
                do="round them, or give probability maps as images",
            )
        if np.abs(labels.data).max() > _LARGEST:
            raise InputError(
                f"label values go up to {np.abs(labels.data).max():g}",
                where=where,
                expected="whole numbers up to 2^53",
                do="give labels smaller numbers",
            )


def check_same_grid(grid: Grid, other: Grid, what: str, where: str) -> None:
    """Refuse a grid further away than 1e-3 of the volume's length or a tenth of a voxel."""
    if grid.shape != other.shape:
        raise InputError(
            f"{what} are {_sizes(other.shape)} but the first image is {_sizes(grid.shape)}",
            where=where,
            expected="one grid for all",
            do="resample them to the first image",
        )
    spacing = np.asarray(grid.spacing)
    length = float((spacing * grid.shape).max())
    apart, allowed = grid.distance_mm(other), min(_RELATIVE * length, _OF_A_VOXEL * spacing.min())
    if apart > allowed:
        raise InputError(
            f"{what} lie up to {apart:.3g} mm away from the first image",
            where=where,
            expected=f"the same affine within {allowed:.2g} mm",
            do="resample them to the first image, or correct the header",
        )


def _check_finite(data: NDArray[Any], where: str) -> None:
    if data.dtype.kind != "f":
        return
    wrong = data.size - int(np.count_nonzero(np.isfinite(data)))
    if wrong:
        raise InputError(
            f"{wrong} of {data.size} voxels are NaN or infinite",
            where=where,
            expected="finite values",
            do="replace them, for instance by the background value",
        )


def _shape_text(volume: Volume) -> str:
    return _sizes(volume.data.shape)


def _sizes(shape: tuple[int, ...]) -> str:
    return " x ".join(str(n) for n in shape)
