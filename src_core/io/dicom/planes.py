"""What DICOM headers say of each plane of voxels: where it lies and what its stored numbers mean.

A plane is a file, or a frame of an enhanced file, whose functional groups are the frame's own or
shared by all. DICOM PS3.3, C.7.6.2 (image plane) and C.7.6.16 (functional groups).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from src_core.errors import InputError

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

__all__ = ["PlaneHeader", "header_of", "is_framed", "planes_of"]

_SEGMENTATION = "1.2.840.10008.5.1.4.1.1.66.4"


@dataclass(frozen=True)
class PlaneHeader:
    """One plane of voxels.

    Attributes:
        file: the file.
        frame: its number in the file, from 0.
        shape: (columns, rows).
        position: LPS mm of its first voxel, or None.
        axes: unit vectors along a row and down a column, (2, 3), LPS.
        spacing: mm between columns, between rows.
        thickness: mm to the next plane, as the header has it; 0 where it has none.
        stored: bits and sign of stored numbers.
        slope: of physical values.
        intercept: of physical values.
        order: of frames at one position.
        segment: number of the segment, 0 in an image.
    """

    file: Path
    frame: int
    shape: tuple[int, int]
    position: tuple[float, float, float] | None
    axes: tuple[tuple[float, ...], tuple[float, ...]]
    spacing: tuple[float, float]
    thickness: float
    stored: tuple[int, int, int]
    slope: float
    intercept: float
    order: tuple[int, ...] = ()
    segment: int = 0

    @property
    def normal(self) -> NDArray[np.float64]:
        """(3,), LPS: across a row's and a column's direction."""
        return np.cross(*self.axes)


def header_of(path: Path) -> Dataset:
    """A file's header, without its voxels.

    Raises:
        InputError: it is no DICOM file, or pydicom is not installed.
    """
    try:
        import pydicom
    except ImportError as error:
        raise InputError(
            "reading DICOM needs pydicom",
            where=str(path),
            do='pip install "napari-drdm[itk]"',
        ) from error
    try:
        return pydicom.dcmread(path, stop_before_pixels=True)
    except Exception as error:  # a damaged file raises many kinds
        raise InputError(
            "pydicom cannot read the file",
            where=str(path),
            expected="a complete DICOM file",
            do="export it again",
        ) from error


def is_framed(header: Dataset) -> bool:
    """Whether a file holds several frames, or is one of the enhanced kinds."""
    return (
        int(header.get("NumberOfFrames") or 1) > 1 or "PerFrameFunctionalGroupsSequence" in header
    )


def planes_of(header: Dataset, path: Path) -> Iterator[PlaneHeader]:
    """The planes of a file.

    Raises:
        InputError: its frames have no functional groups, or its numbers are no numbers.
    """
    groups = header.get("PerFrameFunctionalGroupsSequence")
    if is_framed(header) and (
        groups is None or len(groups) != int(header.get("NumberOfFrames", 1))
    ):
        raise _unplaced(path)
    try:
        if groups is None:
            yield _plane(path, 0, header, (header,))
            return
        shared = [*header.get("SharedFunctionalGroupsSequence", ())]
        for number, group in enumerate(groups):
            yield _plane(path, number, header, (group, *shared))
    except (AttributeError, IndexError, TypeError, ValueError) as error:
        raise InputError(
            "its geometry cannot be understood",
            where=str(path),
            expected="positions, orientations and spacings as DICOM has them",
            do="convert the series to .nii.gz (dcm2niix)",
        ) from error


def _plane(path: Path, number: int, header: Dataset, groups: Sequence[Dataset]) -> PlaneHeader:
    measures = _group(groups, "PixelMeasuresSequence")
    values = _group(groups, "PixelValueTransformationSequence")
    position = _group(groups, "PlanePositionSequence").get("ImagePositionPatient")
    axes = _group(groups, "PlaneOrientationSequence").get("ImageOrientationPatient")
    down, along = measures.get("PixelSpacing") or header.get("ImagerPixelSpacing") or (1, 1)
    x = _numbers(axes or (1, 0, 0, 0, 1, 0), 6)
    labelled = header.get("SOPClassUID") == _SEGMENTATION
    segment = _group(groups, "SegmentIdentificationSequence").get("ReferencedSegmentNumber")
    return PlaneHeader(
        path,
        number,
        (int(header.Columns), int(header.Rows)),
        None if position is None else (*_numbers(position, 3),),  # type: ignore[arg-type]
        (tuple(x[:3]), tuple(x[3:])),
        (float(along), float(down)),
        abs(float(measures.get("SpacingBetweenSlices") or measures.get("SliceThickness") or 0)),
        (
            int(header.get("BitsAllocated", 16)),
            int(header.get("BitsStored", 16)),
            int(header.get("PixelRepresentation", 0)),
        ),
        float(values.get("RescaleSlope", 1)),
        float(values.get("RescaleIntercept", 0)),
        _order(groups),
        int(segment) if labelled else 0,
    )


def _group(groups: Sequence[Dataset], name: str) -> Dataset:
    """A functional group of a frame, else the shared one; of a plain file the file itself."""
    first = groups[0]
    if "Rows" in first:
        return first
    from pydicom.dataset import Dataset

    return next((group[name].value[0] for group in groups if group.get(name)), Dataset())


def _order(groups: Sequence[Dataset]) -> tuple[int, ...]:
    content = _group(groups, "FrameContentSequence")
    time = content.get("TemporalPositionIndex")
    indices = content.get("DimensionIndexValues") or ()
    indices = (indices,) if isinstance(indices, int) else indices
    return (int(time),) if time is not None else tuple(int(v) for v in indices)


def _numbers(values: Any, count: int) -> list[float]:
    numbers = [float(v) for v in values]
    if len(numbers) != count or not all(map(math.isfinite, numbers)):
        raise ValueError(f"{count} finite numbers are needed")
    return numbers


def _unplaced(path: Path) -> InputError:
    return InputError(
        "its frames have no positions, or not all of them",
        where=str(path),
        expected="enhanced DICOM, or one file a slice",
        do="convert it to .nii.gz (dcm2niix)",
    )
