"""Grey PNG and TIFF pictures as one-slice images: axis 0 runs along a row, axis 1 down a column.

That is ITK's order, so that a field written for a picture is right for it in ITK too.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from src_core.cases.checks import check_type
from src_core.cases.grid import Grid
from src_core.errors import ArgumentError, InputError
from src_core.io.atomic import open_atomically

__all__ = ["is_picture", "read_picture", "write_picture"]

_TIFF = (".tif", ".tiff")
_PIXELS = 1 << 28


def is_picture(path: str | Path) -> bool:
    """Whether a name ends in .png, .tif or .tiff."""
    return str(path).lower().endswith((".png", *_TIFF))


def read_picture(
    path: str | Path, spacing: float | Sequence[float] | None = None
) -> tuple[NDArray[Any], Grid]:
    """Pixels (X, Y, 1) in their stored type, and their grid: 1 px = 1 mm without a spacing.

    Raises:
        InputError: not one grey picture, or an impossible spacing.
    """
    where = str(path)
    pixels = _pixels(Path(path))
    if pixels.ndim != 2:
        raise InputError(
            f"the picture is in colour or has several pages ({pixels.shape})",
            where=where,
            expected="one grey picture, one value per pixel",
            do="convert it to greyscale, or save a stack as NIfTI",
        )
    if pixels.dtype.kind == "b":
        pixels = pixels.view(np.uint8)
    check_type(pixels.dtype, where)
    data = pixels.astype(pixels.dtype.newbyteorder("="), copy=False).T[:, :, None]
    try:
        return data, Grid.from_spacing(data.shape, 1.0 if spacing is None else spacing)
    except ArgumentError as error:
        raise InputError(
            f"a spacing of {spacing} is impossible", expected="1, 2 or 3 positive numbers in mm"
        ) from error


def write_picture(path: str | Path, data: NDArray[Any]) -> None:
    """Write (X, Y, 1) as a grey picture of the same type.

    Raises:
        InputError: more than one slice, or a type the format cannot store.
    """
    where = str(path)
    if data.ndim < 3 or data.size != data.shape[0] * data.shape[1]:
        raise InputError(
            f"an image of shape {data.shape} is no picture",
            where=where,
            expected="one slice",
            do="write .nii.gz",
        )
    pixels = np.ascontiguousarray(data.reshape(data.shape[:2], order="F").T)
    tiff = where.lower().endswith(_TIFF)
    if not tiff and pixels.dtype not in (np.uint8, np.uint16):
        raise InputError(
            f"PNG cannot store {pixels.dtype}",
            where=where,
            expected="uint8 or uint16",
            do="write .tif or .nii.gz",
        )
    with open_atomically(path) as file:
        if tiff:
            import tifffile

            tifffile.imwrite(file, pixels, photometric="minisblack", metadata=None, software="")
        else:
            from PIL import Image

            Image.fromarray(pixels).save(file, format="PNG")


def _pixels(path: Path) -> NDArray[Any]:
    where = str(path)
    if not path.is_file():
        raise InputError(
            "this is a folder" if path.is_dir() else "no such file",
            where=where,
            expected="a picture file",
            do="check the path",
        )
    tiff = where.lower().endswith(_TIFF)
    try:
        return _read_tiff(path) if tiff else _read_png(path)
    except InputError:
        raise
    except Exception as error:  # either library raises many kinds for a damaged file
        raise InputError(
            "the picture cannot be read",
            where=where,
            expected="a complete PNG or TIFF file",
            do="export it again",
        ) from error


def _read_png(path: Path) -> NDArray[Any]:
    from PIL import Image

    with Image.open(path) as picture:
        _check_pixels(picture.width * picture.height, path)
        if picture.mode == "P":
            # Palette numbers are no intensities; an extra axis makes them the colours they are.
            return np.asarray(picture.convert("RGB"))
        pixels = np.asarray(picture)
        # Older versions of Pillow decode PNG's 16 bits into 32.
        return pixels.astype(np.uint16) if picture.mode.startswith("I") else pixels


def _read_tiff(path: Path) -> NDArray[Any]:
    import tifffile

    with tifffile.TiffFile(path) as file:
        page = file.pages[0]
        _check_pixels(int(np.prod(page.shape)) * len(file.pages), path)
        return np.asarray(file.asarray())


def _check_pixels(pixels: int, path: Path) -> None:
    if pixels > _PIXELS:
        raise InputError(
            f"the picture has {pixels} pixels",
            where=str(path),
            expected=f"at most {_PIXELS}",
            do="crop or shrink it",
        )
