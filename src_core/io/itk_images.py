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
from src_core.io.headers import Verdict
from src_core.io.itk import itk_grid, simpleitk
from src_core.io.metaimage_data import check_metaimage
from src_core.io.nifti import MOST_PACKED
from src_core.io.refusals import many_values

__all__ = ["read_itk_image", "read_itk_shape"]


def read_itk_image(path: Path) -> tuple[NDArray[Any], Grid]:
    """Values (X, Y, Z) or (X, Y, Z, T), and their grid.

    Raises:
        InputError: it is damaged, or holds several values per voxel.
    """
    sitk, where = simpleitk(), str(path)
    if format_named(path) is format_named("a.mha"):
        check_metaimage(path)
    elif path.suffix.lower() == ".nrrd":
        _check_promise(path)
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


def _check_promise(path: Path) -> None:
    """Refuse a header that promises more voxels than a file of this length can hold."""
    if not path.is_file():
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
        raise many_values(_content(sitk, image, path), str(path))
    if ndim not in (2, 3, 4):
        raise InputError(
            f"this is an image of {ndim} axes",
            where=str(path),
            expected="one value per voxel, (X, Y, Z) or (X, Y, Z, T)",
        )
    data = np.asarray(sitk.GetArrayFromImage(image)).transpose()
    check_type(data.dtype, str(path))
    return data[:, :, None] if ndim == 2 else data


def _content(sitk: Any, image: Any, path: Path) -> Verdict:
    """What an image of several values per voxel is, by its file's header or its type."""
    found = format_named(path)
    if found is not None and found.header is not None:
        return decide(found.header(path))
    count, values = image.GetNumberOfComponentsPerPixel(), image.GetPixelIDTypeAsString()
    what = "a colour image" if "8-bit unsigned" in values else "an image with channels"
    return Verdict("other", what, f"{count} values per voxel", do="convert it to greyscale")
