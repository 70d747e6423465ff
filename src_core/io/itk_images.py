"""Images in ITK's own formats, read by SimpleITK: MetaImage and NRRD."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from src_core.cases.checks import check_type
from src_core.cases.grid import Grid
from src_core.errors import InputError
from src_core.io.formats import format_named
from src_core.io.header_rules import decide
from src_core.io.headers import Header
from src_core.io.itk import itk_grid, simpleitk
from src_core.io.nifti import MOST_PACKED
from src_core.io.refusals import many_values

__all__ = ["check_nrrd", "read_itk_image", "read_itk_shape"]


def read_itk_image(path: Path) -> tuple[NDArray[Any], Grid]:
    """Values (X, Y, Z) or (X, Y, Z, T), and their grid.

    Raises:
        InputError: it is damaged, or holds several values per voxel.
    """
    sitk, where = simpleitk(), str(path)
    try:
        image = sitk.ReadImage(where)
    except RuntimeError as error:
        raise InputError(
            "ITK cannot read the image",
            where=where,
            expected="a complete MetaImage or NRRD file",
            do="export it again",
        ) from error
    return _values(sitk, image, path), itk_grid(image)


def read_itk_shape(path: Path) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Shape (X, Y, ...) and type of an image, from its header.

    Raises:
        InputError: there is no readable header.
    """
    sitk = simpleitk()
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    try:
        reader.ReadImageInformation()
    except RuntimeError as error:
        raise InputError("ITK cannot read the header", where=str(path)) from error
    count = reader.GetNumberOfComponents()
    one = sitk.Image([1] * reader.GetDimension(), reader.GetPixelID(), count)
    return tuple(reader.GetSize()), sitk.GetArrayViewFromImage(one).dtype


def check_nrrd(path: Path) -> None:
    """Refuse a header that promises more voxels than a file of this length can hold.

    Raises:
        InputError: it does, or cannot be read.
    """
    if path.suffix.lower() != ".nrrd":  # the voxels of a .nhdr lie elsewhere
        return
    shape, dtype = read_itk_shape(path)
    size, length = math.prod(shape) * dtype.itemsize, path.stat().st_size
    if size > MOST_PACKED * length:
        raise InputError(
            f"the header promises {size} bytes, the file has {length}",
            where=str(path),
            expected="a complete NRRD file",
            do="copy or export it again",
        )


def _values(sitk: Any, image: Any, path: Path) -> NDArray[Any]:
    ndim, count = image.GetDimension(), image.GetNumberOfComponentsPerPixel()
    if count != 1:
        raise many_values(decide(_header(path)), str(path))
    if ndim not in (2, 3, 4):
        raise InputError(
            f"this is an image of {ndim} axes",
            where=str(path),
            expected="one value per voxel, (X, Y, Z) or (X, Y, Z, T)",
        )
    data = np.asarray(sitk.GetArrayFromImage(image)).transpose()
    check_type(data.dtype, str(path))
    return data[:, :, None] if ndim == 2 else data


def _header(path: Path) -> Header:
    """What the header of a format that ITK shares with others says of values."""
    found = format_named(path)
    assert found is not None and found.header is not None, "MetaImage and NRRD have one"
    return found.header(path)
