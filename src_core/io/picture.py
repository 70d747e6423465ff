"""PNG and TIFF pictures as one-slice images: axis 0 runs along a row, axis 1 down a column.

That is ITK's order, so that a field written for a picture is right for it in ITK too.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from src_core.cases.checks import check_type
from src_core.cases.grid import Grid
from src_core.cases.synthetic import description_of
from src_core.errors import InputError
from src_core.io.atomic import open_atomically
from src_core.io.formats import PNG, format_named

__all__ = [
    "count_channels",
    "read_colours",
    "read_png",
    "read_shape",
    "read_tiff",
    "stored_numbers",
    "write_colours",
    "write_png",
    "write_tiff",
]

_PIXELS = 1 << 28
#: Channels of a picture in colour: red, green, blue, and perhaps opacity.
_COLOURS = (3, 4)


def read_png(path: Path) -> tuple[NDArray[Any], Grid]:
    """Pixels (X, Y, 1) in their stored type, 1 px = 1 mm.

    Raises:
        InputError: not one grey picture.
    """
    return _grey(path)


def read_tiff(path: Path) -> tuple[NDArray[Any], Grid]:
    """Pixels (X, Y, 1) in their stored type, 1 px = 1 mm.

    Raises:
        InputError: not one grey picture.
    """
    return _grey(path)


def read_shape(path: Path) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Shape (X, Y, 1) and type of a picture, which is read for that; (X, Y, 1, n) in colour.

    Raises:
        InputError: not one picture.
    """
    if count_channels(path) > 1:
        colours = read_colours(path)
        return colours.shape, colours.dtype
    data, _ = read_png(path) if format_named(path) is PNG else read_tiff(path)
    return data.shape, data.dtype


def write_png(path: Path, data: NDArray[Any], header: nib.Nifti1Header | None = None) -> None:
    """Write one slice, (X, Y, 1), uint8 or uint16; the header's ``descrip`` as Description.

    Raises:
        InputError: more than one slice, or another type.
    """
    words = "" if header is None else description_of(header)
    _save_png(path, _one_slice(data, path), (np.uint8, np.uint16), words)


def _save_png(path: Path, pixels: NDArray[Any], types: Sequence[type], words: str) -> None:
    from PIL import Image, PngImagePlugin

    if pixels.dtype not in types:
        raise InputError(
            f"PNG cannot store {pixels.dtype}",
            where=str(path),
            expected=" or ".join(np.dtype(one).name for one in types),
            do="write .tif or .nii.gz",
        )
    with open_atomically(path) as file:
        text = PngImagePlugin.PngInfo()
        if words:
            text.add_text("Description", words)
        Image.fromarray(pixels).save(file, format="PNG", pnginfo=text)


def write_tiff(path: Path, data: NDArray[Any], header: nib.Nifti1Header | None = None) -> None:
    """Write one slice, (X, Y, 1), of any type.

    Raises:
        InputError: more than one slice.
    """
    import tifffile

    pixels = _one_slice(data, path)
    words = None if header is None else description_of(header).encode() or None
    with open_atomically(path) as file:
        tifffile.imwrite(
            file, pixels, photometric="minisblack", metadata=None, software="", description=words
        )


def count_channels(path: Path) -> int:
    """Values per pixel of a picture; 1 where it is none, or cannot be read, for others to say."""
    try:
        count = _png_channels(path) if format_named(path) is PNG else _tiff_channels(path)
    except Exception:  # either library raises many kinds for a damaged file
        return 1
    return count if count in _COLOURS else 1


def read_colours(path: Path) -> NDArray[Any]:
    """Pixels of a picture in colour, (X, Y, 1, channels), in their stored type."""
    pixels = _decoded(path)
    check_type(pixels.dtype, str(path))
    native = pixels.astype(pixels.dtype.newbyteorder("="), copy=False)
    return native.transpose(1, 0, 2)[:, :, None]


def write_colours(path: Path, channels: Sequence[NDArray[Any]], words: str = "") -> None:
    """Write channels, (X, Y, 1) each, as one picture in colour.

    Raises:
        InputError: more than one slice, or a type that the format does not hold.
    """
    pixels = np.stack([_one_slice(data, path) for data in channels], axis=-1)
    if format_named(path) is PNG:
        _save_png(path, pixels, (np.uint8,), words)
        return
    import tifffile

    with open_atomically(path) as file:
        tifffile.imwrite(
            file,
            pixels,
            photometric="rgb",
            metadata=None,
            software="",
            description=words.encode() or None,
        )


def _png_channels(path: Path) -> int:
    from PIL import Image

    with Image.open(path) as picture:
        return 3 if picture.mode == "P" else len(picture.getbands())


def _tiff_channels(path: Path) -> int:
    import tifffile

    with tifffile.TiffFile(path) as file:
        if getattr(file.pages[0], "photometric", None) == tifffile.PHOTOMETRIC.PALETTE:
            return 3
        shape = file.series[0].shape
    return int(shape[2]) if len(shape) == 3 else 1


def _decoded(path: Path) -> NDArray[Any]:
    """Pixels, (rows, columns) or (rows, columns, channels); errors become one line."""
    where = str(path)
    try:
        return _png_pixels(path) if format_named(path) is PNG else _tiff_pixels(path)
    except InputError:
        raise
    except Exception as error:  # either library raises many kinds for a damaged file
        raise InputError(
            "the picture cannot be read",
            where=where,
            expected="a complete PNG or TIFF file",
            do="export it again",
        ) from error


def _grey(path: Path) -> tuple[NDArray[Any], Grid]:
    where, pixels = str(path), _decoded(path)
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
    return data, Grid.from_spacing(data.shape)


def _one_slice(data: NDArray[Any], path: Path) -> NDArray[Any]:
    """(rows, columns) of (X, Y, 1)."""
    if data.ndim < 3 or data.size != data.shape[0] * data.shape[1]:
        raise InputError(
            f"an image of shape {data.shape} is no picture",
            where=str(path),
            expected="one slice",
            do="write .nii.gz",
        )
    return np.ascontiguousarray(data.reshape(data.shape[:2], order="F").T)


def _png_pixels(path: Path) -> NDArray[Any]:
    from PIL import Image

    bits, colour = _png_kind(path)
    if bits == 16 and colour:
        raise InputError(
            "the PNG has 16 bits a colour",
            where=str(path),
            expected="8 bits a colour, or grey of 16 bits",
            do="save it as TIFF",
        )
    with Image.open(path) as picture:
        _check_pixels(picture.width * picture.height, path)
        if picture.mode == "P":
            # Palette numbers are no intensities; an extra axis makes them the colours they are.
            return np.asarray(picture.convert("RGB"))
        pixels = np.asarray(picture)
        # Older versions of Pillow decode PNG's 16 bits into 32.
        return pixels.astype(np.uint16) if picture.mode.startswith("I") else pixels


def _png_kind(path: Path) -> tuple[int, bool]:
    """Bits of a stored number, and whether a pixel has several."""
    with path.open("rb") as file:
        head = file.read(26)
    return (head[24], head[25] != 0) if len(head) == 26 else (8, False)


def stored_numbers(path: Path, data: NDArray[Any]) -> NDArray[Any]:
    """The numbers a picture of labels stores, not the brightness that they mean in an image."""
    if format_named(path) is PNG:
        bits, _ = _png_kind(path)
        step = 255 // (2**bits - 1) if bits < 8 else 1
        return np.asarray(data // step) if data.max(initial=0) > 2**bits - 1 else data
    import tifffile

    with tifffile.TiffFile(path) as file:
        page = file.pages[0]
        if getattr(page, "photometric", None) != tifffile.PHOTOMETRIC.MINISWHITE:
            return data
        bits = int(getattr(page, "bitspersample", 0))
    return np.asarray(data.dtype.type(2**bits - 1) - data)


def _tiff_pixels(path: Path) -> NDArray[Any]:
    import tifffile

    with tifffile.TiffFile(path) as file:
        page = file.pages[0]
        _check_pixels(math.prod(page.shape) * len(file.pages), path)
        _check_pixels(math.prod(file.series[0].shape), path)
        pixels = np.asarray(file.asarray())
        meaning = getattr(page, "photometric", None)
        if meaning == tifffile.PHOTOMETRIC.PALETTE:
            colours = np.asarray(getattr(page, "colormap", None)) >> 8  # 16 bits each
            return np.moveaxis(colours.astype(np.uint8)[:, pixels], 0, -1)
        if meaning != tifffile.PHOTOMETRIC.MINISWHITE:
            return pixels
        return _white_is_most(pixels, int(getattr(page, "bitspersample", 0)), path)


def _white_is_most(pixels: NDArray[Any], bits: int, path: Path) -> NDArray[Any]:
    """Values of a picture in which 0 is white, so that the brightest is the largest."""
    if pixels.dtype.kind == "b":
        return ~pixels
    if pixels.dtype.kind != "u":
        raise InputError(
            f"0 is white in this TIFF, and its values are of type {pixels.dtype}",
            where=str(path),
            expected="unsigned integers, or 0 as black",
            do="save it with 0 as black",
        )
    return np.asarray(pixels.dtype.type(2**bits - 1) - pixels)


def _check_pixels(pixels: int, path: Path) -> None:
    if pixels > _PIXELS:
        raise InputError(
            f"the picture has {pixels} pixels",
            where=str(path),
            expected=f"at most {_PIXELS}",
            do="crop or shrink it",
        )
