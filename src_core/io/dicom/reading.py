"""DICOM as images: a folder of one series, a slice, an enhanced file, or a segmentation.

pydicom reads what headers say, ITK the voxels of slices; the grid is made of the positions of all
planes, and voxels whose numbers have the same meaning keep their type.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from src_core.cases.checks import check_type
from src_core.cases.grid import Grid
from src_core.errors import InputError
from src_core.io.dicom.frames import frame_values, segment_labels
from src_core.io.dicom.places import Stack, stack_planes
from src_core.io.dicom.planes import PlaneHeader, header_of, is_framed, planes_of
from src_core.io.headers import Verdict
from src_core.io.itk import simpleitk
from src_core.io.refusals import many_values

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

__all__ = ["holds_dicom", "read_dicom", "read_dicom_shape"]

_MARK, _MARK_AT = b"DICM", 128
#: Files of a folder that are looked at for it.
_LOOKED_AT = 64
_COLOUR = Verdict(
    "image",
    "a colour picture",
    "several samples per pixel, or a palette",
    do="convert it to greyscale, or name the series of the grey images",
)


def read_dicom(path: Path) -> tuple[NDArray[Any], Grid]:
    """Values (X, Y, Z) or (X, Y, Z, T), and their grid.

    Raises:
        InputError: it is damaged, in colour, not one series, or its planes are not one grid.
    """
    where = str(path)
    headers = _series(path) if path.is_dir() else {path: header_of(path)}
    _check_values(headers.values(), where)
    framed = [is_framed(header) for header in headers.values()]
    if any(framed) and len(framed) > 1:
        raise InputError(
            f"the series has {len(framed)} files of several frames",
            where=where,
            expected="one file of frames, or one slice a file",
            do="name one of the files",
        )
    planes = [plane for file, header in headers.items() for plane in planes_of(header, file)]
    labelled = planes[0].segment > 0
    stack = stack_planes(planes, where, gaps=labelled)
    if labelled:
        data = segment_labels(stack, where)
    elif framed[0]:
        data = frame_values(stack, where)
    else:
        data = _slice_values(stack, where)
    check_type(data.dtype, where)
    return data, stack.grid


def read_dicom_shape(path: Path) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Shape (X, Y, planes) and the largest type that values take, from headers.

    Raises:
        InputError: it is damaged, or not one series.
    """
    headers = _series(path) if path.is_dir() else {path: header_of(path)}
    _check_values(headers.values(), str(path))
    first = next(iter(headers.values()))
    planes = sum(int(header.get("NumberOfFrames") or 1) for header in headers.values())
    return (int(first.Columns), int(first.Rows), planes), np.dtype(np.float32)


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


def _series(folder: Path) -> dict[Path, Dataset]:
    """The headers of a folder's only series; files of other kinds are passed over."""
    files = [p for p in sorted(folder.iterdir()) if p.is_file() and not p.name.startswith(".")]
    headers = {p: header_of(p) for p in files if _bears_mark(str(p)) or p.suffix.lower() == ".dcm"}
    images = {file: header for file, header in headers.items() if "Rows" in header} or headers
    names = {header.get("SeriesInstanceUID") for header in images.values()}
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
    return images


def _check_values(headers: Iterable[Dataset], where: str) -> None:
    """Refuse colours, and files without voxels."""
    for header in headers:
        if "Rows" not in header or "Columns" not in header:
            raise InputError(
                f"this DICOM file holds no image ({header.get('Modality') or 'no modality'})",
                where=where,
                expected="an image or a segmentation",
                do="name the series of the image",
            )
        if header.get("PhotometricInterpretation") == "MONOCHROME1":
            raise InputError(
                "0 is white in this DICOM file (MONOCHROME1)",
                where=where,
                expected="MONOCHROME2",
                do="convert it to .nii.gz (dcm2niix)",
            )
        if header.get("ModalityLUTSequence") or header.get("RescaleSlope") == 0:
            raise InputError(
                "its values are given by a table, or their slope is 0",
                where=where,
                expected="a rescale slope and intercept",
                do="convert it to .nii.gz (dcm2niix)",
            )
        palette = header.get("PhotometricInterpretation") == "PALETTE COLOR"
        if palette or int(header.get("SamplesPerPixel") or 1) > 1:
            raise many_values(_COLOUR, where)


def _slice_values(stack: Stack, where: str) -> NDArray[Any]:
    """Physical values of files of one slice each, of ITK's type where all mean the same."""
    slices = [plane for (plane,) in _single(stack, where)]
    files = [str(plane.file) for plane in slices]
    sitk = simpleitk()
    try:
        if len({_meaning(plane) for plane in slices}) == 1:
            image = sitk.ReadImage(files if len(files) > 1 else files[0])
            data = np.asarray(sitk.GetArrayFromImage(image)).transpose()
            return data[:, :, None] if data.ndim == 2 else data
        each = [np.squeeze(sitk.GetArrayFromImage(sitk.ReadImage(file))).T for file in files]
    except RuntimeError as error:
        raise InputError(
            "ITK cannot read the image",
            where=where,
            expected="a complete DICOM series",
            do="export it again",
        ) from error
    whole = all(one.dtype.kind in "iu" for one in each)
    kind = np.result_type(*each) if whole else np.dtype(np.float32)
    return np.stack([one.astype(kind) for one in each], axis=-1)


def _meaning(plane: PlaneHeader) -> tuple[object, ...]:
    return plane.slope, plane.intercept, plane.stored


def _single(stack: Stack, where: str) -> Sequence[Sequence[PlaneHeader]]:
    """Files of a series have no order in time that all scanners agree on."""
    count = sum(map(len, stack.planes))
    if count > len(stack.planes):
        raise InputError(
            f"{count} slices lie at {len(stack.planes)} places",
            where=where,
            expected="one slice at each place, in one frame of time",
            do="convert the series to .nii.gz (dcm2niix)",
        )
    return stack.planes
