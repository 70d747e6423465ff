"""Cases from files, and volumes back to files with the header they came with."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from src_core.cases.case import Case, Image, LabelMap, assemble
from src_core.cases.checks import check_shape
from src_core.cases.grid import Grid
from src_core.cases.header import grid_of, header_for, set_geometry
from src_core.cases.intensities import stored
from src_core.cases.volume import Volume
from src_core.errors import ArgumentError, InputError
from src_core.io.file_format import FileFormat
from src_core.io.foreign_files import advice_for
from src_core.io.formats import (
    NIFTI,
    PNG,
    format_named,
    format_of,
    formats,
    is_picture,
    listed,
    without_ending,
)
from src_core.io.header_rules import decide
from src_core.io.nifti_fields import described
from src_core.io.picture import count_channels, read_colours, stored_numbers
from src_core.io.reach import check_reachable
from src_core.io.refusals import AS_FIELD, many_values

__all__ = ["FileNames", "read_case", "write_image"]

FileNames = str | Path | Sequence[str | Path]
Spacing = float | Sequence[float] | None
_V = TypeVar("_V", bound=Volume)

# Label values nearer than this to a whole number are taken as that number.
_WHOLE = 1e-3


def read_case(images: FileNames, labels: FileNames | None = None, spacing: Spacing = None) -> Case:
    """Read co-registered images and their label maps.

    Args:
        images: NIfTI (.nii, .nii.gz), or PNG or TIFF, of which a picture in colour gives an image
            for each channel; with SimpleITK also MetaImage (.mha, .mhd), NRRD (.nrrd, .nhdr) or the
            folder of a DICOM series. Several must share one grid.
        labels: any number of label maps on that grid.
        spacing: mm per pixel of pictures: one number, or one each for columns and rows;
            1 mm if not given.

    Raises:
        InputError: a file is missing, damaged, not an image, or does not fit the first one.
    """
    paths = _paths(images)
    if not paths:
        raise InputError("no image given", expected="at least one image file")
    first = [image for path in paths for image in _read_images(path, spacing)]
    maps = [_whole(_read(path, LabelMap, spacing)) for path in _paths(labels)]
    return assemble(first, maps, without_ending(paths[0]) or "image")


def write_image(
    path: str | Path, data: NDArray[Any], like: Volume, grid: Grid | None = None
) -> None:
    """Write voxels as the file of ``like`` stores them: its type, scaling, units and NIfTI codes.

    Args:
        path: .nii, .nii.gz, or .png and .tif for one slice.
        data: (X, Y, Z) or (X, Y, Z, T), stored values; rounded and limited to an integer type.
        like: the volume whose header is copied.
        grid: replaces the header's geometry where it differs.

    Raises:
        InputError: the file cannot be written.
        ArgumentError: data and grid differ in shape.
    """
    if data.ndim not in (3, 4) or (grid is not None and data.shape[:3] != grid.shape):
        raise ArgumentError(
            f"write_image() 'data' must be (X, Y, Z) or (X, Y, Z, T) on the grid, got {data.shape}"
        )
    path, found = Path(path), format_named(path)
    if found is None or found.write_image is None:
        raise InputError(
            "images cannot be written with this ending",
            where=str(path),
            expected=", ".join(e for f in formats() if f.write_image for e in f.endings),
        )
    header = like.header.copy()
    if data.shape != like.data.shape or int(header["dim"][0]) < 3:
        header.set_data_shape(data.shape)
    if grid is not None and not _same_grid(header, grid):
        set_geometry(header, grid)
    with found.required(path):
        found.write_image(path, stored(data, like.data.dtype), header)


def _read_images(path: Path, spacing: Spacing) -> list[Image]:
    """The image of a file, or one for each channel of a picture in colour."""
    check_reachable(path)
    if not (is_picture(path) and path.is_file() and count_channels(path) > 1):
        return [_read(path, Image, spacing)]
    pixels = read_colours(path)
    grid = Grid.from_spacing(pixels.shape[:3])
    if spacing is not None:
        grid = _spaced(pixels.shape[:3], spacing, format_of(path) or PNG, str(path))
    channels = [np.ascontiguousarray(pixels[..., c]) for c in range(pixels.shape[3])]
    return [
        Image(data, header_for(grid, data.dtype, data.shape), path, channel)
        for channel, data in enumerate(channels)
    ]


def _read(path: Path, kind: type[_V], spacing: Spacing) -> _V:
    where = str(path)
    check_reachable(path)
    found = format_of(path)
    if not path.exists():
        raise InputError("no such file", where=where, expected="an image file", do="check the path")
    if not (path.is_file() or path.is_dir()):
        raise InputError("this is no file", where=where, expected="an image file")
    if found is None or found.read_image is None:
        raise _no_image(path, found)
    with found.required(path):
        if found.check is not None:
            found.check(path)
        data, geometry = found.read_image(path)
    if kind is LabelMap and found.picture:
        data = stored_numbers(path, data)
    if spacing is not None:
        geometry = _spaced(data.shape, spacing, found, where)
    if isinstance(geometry, Grid):
        header = header_for(geometry, data.dtype, data.shape)
    else:
        header = geometry
    return kind(_image_array(data, header, where), header, path)


def _no_image(path: Path, found: FileFormat | None) -> InputError:
    """The error of a file that is read by nobody, or as a transform alone."""
    what = f"files ending in {path.suffix or 'nothing'} are not known"
    do: str = f"convert the image to {NIFTI.endings[0]}"
    if found is not None:
        what, do = f"this is no image: {found.name}", AS_FIELD
    elif advice := advice_for(path):
        what, do = advice
    return InputError(what, where=str(path), expected=listed(), do=do)


def _spaced(shape: tuple[int, ...], spacing: Any, found: FileFormat, where: str) -> Grid:
    """The grid of a picture that the caller gave a spacing for."""
    if not found.picture:
        raise InputError(
            "a spacing is for pictures only, other files have their own",
            where=where,
            do="leave it out",
        )
    try:
        return Grid.from_spacing(shape, spacing)
    except ArgumentError as error:
        raise InputError(
            f"a spacing of {spacing} is impossible", expected="1, 2 or 3 positive numbers in mm"
        ) from error


def _image_array(data: NDArray[Any], header: nib.Nifti1Header, where: str) -> NDArray[Any]:
    axes = max([2, *[axis + 1 for axis, n in enumerate(data.shape) if n > 1]])
    verdict = decide(described(header, data.shape, "", getattr(header, "extensions", ())))
    if axes > 4 or (axes == 4 and verdict.holds in ("field", "other")):
        raise many_values(verdict, where)
    shape = data.shape[:4] + (1,) * (3 - data.ndim) if data.ndim > 1 else data.shape
    check_shape(shape, where)
    return data.reshape(shape, order="F")


def _whole(labels: LabelMap) -> LabelMap:
    """Labels stored with a slope or intercept, as the whole numbers that they mean."""
    slope, inter = labels.scaling
    if (slope, inter) == (1.0, 0.0):
        return labels
    meant = labels.data * slope + inter
    rounded, dtype = np.rint(meant), labels.data.dtype
    if np.isfinite(meant).all() and np.abs(meant - rounded).max() > _WHOLE:
        raise InputError(
            f"label values are not whole numbers (slope {slope:g}, intercept {inter:g})",
            where=str(labels.path),
            expected="one integer per voxel",
            do="save the labels as integers",
        )
    if dtype.kind in "iu":
        kinds = (dtype, np.dtype(np.int32), np.dtype(np.int64))
        dtype = next((k for k in kinds if _fits(rounded, k)), np.dtype(np.float64))
    header = labels.header.copy()
    header.set_data_dtype(dtype)
    header["scl_slope"], header["scl_inter"] = 1, 0
    return LabelMap(rounded.astype(dtype), header, labels.path)


def _fits(values: NDArray[np.float64], dtype: np.dtype[Any]) -> bool:
    limits = np.iinfo(dtype)
    return float(values.min()) >= limits.min and float(values.max()) <= limits.max


def _same_grid(header: nib.Nifti1Header, grid: Grid) -> bool:
    own = grid_of(header)
    return own.shape == grid.shape and own.distance_mm(grid) <= 1e-4 * min(grid.spacing)


def _paths(names: FileNames | None) -> list[Path]:
    if names is None:
        return []
    return [Path(names)] if isinstance(names, str | Path) else [Path(name) for name in names]
