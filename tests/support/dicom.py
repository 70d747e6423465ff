"""DICOM files by pydicom: slices of a series, enhanced images and segmentations."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence as Items
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

CT = "1.2.840.10008.5.1.4.1.1.2"
ENHANCED = "1.2.840.10008.5.1.4.1.1.4.1"
SEGMENTATION = "1.2.840.10008.5.1.4.1.1.66.4"
STUDY, SERIES = generate_uid(), generate_uid()


def item(**values: object) -> Dataset:
    made = Dataset()
    for key, value in values.items():
        setattr(made, key, value)
    return made


def items(**values: object) -> Items:
    return Items([item(**values)])


def _file(kind: str, pixels: np.ndarray, **values: object) -> Dataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.TransferSyntaxUID = kind, ExplicitVRLittleEndian
    meta.MediaStorageSOPInstanceUID = generate_uid()
    made = item(
        SOPClassUID=kind,
        SOPInstanceUID=meta.MediaStorageSOPInstanceUID,
        StudyInstanceUID=STUDY,
        SeriesInstanceUID=SERIES,
        Modality="CT",
        SamplesPerPixel=1,
        PhotometricInterpretation="MONOCHROME2",
        Rows=pixels.shape[-2],
        Columns=pixels.shape[-1],
        BitsAllocated=16,
        BitsStored=16,
        HighBit=15,
        PixelRepresentation=0,
        PixelData=pixels.astype("<u2").tobytes(),
    )
    for key, value in values.items():
        setattr(made, key, value)
    made.file_meta = meta
    return made


def text(numbers: Sequence[float]) -> list[str]:
    return [f"{number:.6f}"[:16] for number in numbers]


def write_slices(
    folder: Path,
    stored: np.ndarray,
    places: Sequence[Sequence[float]] | None,
    axes: Sequence[float] = (1, 0, 0, 0, 1, 0),
    meanings: Sequence[tuple[float, float]] | None = None,
    **values: object,
) -> Path:
    """(X, Y, Z) stored values, one file a slice, in the order of a shuffle; 1.2 x 1.4 mm."""
    folder.mkdir(parents=True)
    for z in np.random.default_rng(1).permutation(stored.shape[2]):
        slope, intercept = (1, 0) if meanings is None else meanings[z]
        made = _file(
            CT,
            stored[:, :, z].T,
            PixelSpacing=["1.4", "1.2"],
            RescaleSlope=str(slope),
            RescaleIntercept=str(intercept),
            InstanceNumber=int(z) + 1,
            **values,
        )
        if places is not None:
            made.ImagePositionPatient = text(places[z])
            made.ImageOrientationPatient = text(axes)
        made.save_as(folder / f"{z:03d}.dcm", enforce_file_format=True)
    return folder


def frame(
    place: Sequence[float], order: tuple[int, ...] = (), slope: float = 1, segment: int = 0
) -> Dataset:
    group = item(PlanePositionSequence=items(ImagePositionPatient=text(place)))
    if order:
        group.FrameContentSequence = items(DimensionIndexValues=list(order))
    if slope != 1:
        group.PixelValueTransformationSequence = items(
            RescaleSlope=str(slope), RescaleIntercept="-5"
        )
    if segment:
        group.SegmentIdentificationSequence = items(ReferencedSegmentNumber=segment)
    return group


def write_frames(
    path: Path,
    stored: np.ndarray,
    groups: Sequence[Dataset],
    axes: Sequence[float] = (1, 0, 0, 0, 1, 0),
    kind: str = ENHANCED,
    **values: object,
) -> Path:
    """(frames, rows, columns) stored values of an enhanced file; 1.2 x 1.4 x 5 mm."""
    shared = item(
        PixelMeasuresSequence=items(PixelSpacing=["1.4", "1.2"], SliceThickness="5"),
        PlaneOrientationSequence=items(ImageOrientationPatient=text(axes)),
    )
    made = _file(
        kind,
        stored,
        NumberOfFrames=len(stored),
        SharedFunctionalGroupsSequence=Items([shared]),
        PerFrameFunctionalGroupsSequence=Items(list(groups)),
        **values,
    )
    made.save_as(path, enforce_file_format=True)
    return path
