"""Images in ITK's formats, read by SimpleITK: MetaImage, NRRD, and a folder of one DICOM series.

Values are as ITK gives them, of the stored type or, where DICOM has a slope, of the one it takes.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
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
from src_core.io.refusals import many_values

__all__ = ["holds_dicom", "read_itk_image"]

_POSITION = "0020|0032"
_OF_A_SLICE = 0.1
_SAME_MM = 1e-3
_MARK, _MARK_AT = b"DICM", 128
#: Files of a folder that are looked at for it.
_LOOKED_AT = 64


def read_itk_image(path: Path) -> tuple[NDArray[Any], Grid]:
    """Values (X, Y, Z) or (X, Y, Z, T), and their grid.

    Raises:
        InputError: it is damaged, holds several values per voxel, or is a folder without a series
            or of one whose slices are not evenly spaced.
    """
    sitk, where = simpleitk(), str(path)
    try:
        image = _series(sitk, path) if path.is_dir() else sitk.ReadImage(where)
    except RuntimeError as error:
        raise InputError(
            "ITK cannot read the image",
            where=where,
            expected="a complete MetaImage, NRRD or DICOM series",
            do="export it again",
        ) from error
    return _values(sitk, image, path), itk_grid(image)


def holds_dicom(folder: Path) -> bool:
    """Whether one of the first files in a folder bears DICOM's mark."""
    try:
        with os.scandir(folder) as entries:
            files = [
                e.path for _, e in zip(range(_LOOKED_AT), entries, strict=False) if e.is_file()
            ]
        return any(_bears_mark(file) for file in files)
    except OSError:
        return False


def _bears_mark(path: str) -> bool:
    with open(path, "rb") as file:
        return file.read(_MARK_AT + len(_MARK))[_MARK_AT:] == _MARK


def _series(sitk: Any, folder: Path) -> Any:
    names = sitk.ImageSeriesReader.GetGDCMSeriesIDs(str(folder))
    if not names:
        raise InputError(
            "this is a folder without DICOM images",
            where=str(folder),
            expected="an image file, or a folder of one DICOM series",
            do="name a file in it",
        )
    if len(names) > 1:
        raise InputError(
            f"the folder holds {len(names)} DICOM series",
            where=str(folder),
            expected="one series",
            do="move each into a folder of its own",
        )
    files = sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder), names[0])
    _check_places(_places(sitk, files), str(folder))
    return sitk.ReadImage(files)


def _places(sitk: Any, files: Sequence[str]) -> NDArray[np.float64]:
    """Positions of slices, (n, 3), mm; (0, 3) where a file does not give one."""
    reader = sitk.ImageFileReader()
    places = []
    for file in files:
        reader.SetFileName(file)
        reader.ReadImageInformation()
        if not reader.HasMetaDataKey(_POSITION):
            return np.zeros((0, 3))
        places.append([float(v) for v in reader.GetMetaData(_POSITION).split("\\")])
    return np.asarray(places)


def _check_places(places: NDArray[np.float64], where: str) -> None:
    """Refuse missing slices, and several at one place: frames of a cine, or contrasts."""
    if len(places) < 2:
        return
    along = places - places[0]
    furthest = along[np.linalg.norm(along, axis=1).argmax()]
    steps = np.linalg.norm(np.diff(places[np.argsort(places @ furthest)], axis=0), axis=1)
    if steps.min() < _SAME_MM:
        raise InputError(
            f"{len(places)} slices lie at {1 + int((steps >= _SAME_MM).sum())} places",
            where=where,
            expected="one slice at each place, in one frame of time",
            do="convert the series to .nii.gz (dcm2niix)",
        )
    if np.ptp(steps) > _OF_A_SLICE * np.median(steps):
        raise InputError(
            f"the slices lie {steps.min():.3g} to {steps.max():.3g} mm apart",
            where=where,
            expected="an even series without missing slices",
            do="complete it, or convert it to .nii.gz",
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
