"""Images as layers, axes reversed: (T, Z, Y, X), (Z, Y, X), or (Y, X) for a single slice.

NIfTI; MetaImage, NRRD and a folder of one DICOM series by SimpleITK. A displacement
field becomes arrows over the image it belongs to.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from napari_drdm.layers.cases import shown
from napari_drdm.layers.field_layers import DenseField, field_layer
from napari_drdm.messages import error_line
from src_core.cases.case import Case
from src_core.errors import InputError
from src_core.io import holds_field, read_case, read_field
from src_core.io.itk import IMAGE_ENDINGS

__all__ = ["get_reader", "read_layers"]

_ENDINGS = (".nii", ".nii.gz", *IMAGE_ENDINGS)
_LABELS = re.compile(r"(^|[^a-z])(gt|labels?|masks?|seg|segmentations?)([^a-z]|$)")
_LABEL_FOLDERS = {"gt", "labels", "labelstr", "labelsts", "masks", "segmentations"}
_MOST_LABELS = 256
_LOOKED_AT = 64
_DICOM_MARK, _DICOM_AT = b"DICM", 128

Paths = str | Path | Sequence[str | Path]
LayerData = tuple[Any, dict[str, Any], str]


def get_reader(path: Paths) -> Callable[[Paths], list[LayerData]] | None:
    """The reader, for images and displacement fields in NIfTI's and ITK's formats, and DICOM."""
    return read_layers if all(map(_ours, _listed(path))) else None


def read_layers(path: Paths) -> list[LayerData]:
    """One layer per file, which remembers where it came from.

    Raises:
        InputError: a file is missing, damaged or no image, or needs SimpleITK.
    """
    try:
        return [_field(Path(p)) if holds_field(p) else _layer(Path(p)) for p in _listed(path)]
    except InputError as error:
        raise InputError(error_line(error)) from error


def _ours(path: str | Path) -> bool:
    if os.path.isdir(path):
        return _holds_dicom(path)
    return str(path).lower().endswith(_ENDINGS) or holds_field(path)


def _holds_dicom(folder: str | Path) -> bool:
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
        return file.read(_DICOM_AT + len(_DICOM_MARK))[_DICOM_AT:] == _DICOM_MARK


def _field(path: Path) -> LayerData:
    """Arrows, which follow the plane in view where there is a viewer."""
    from napari import current_viewer

    from napari_drdm.layers.field_follower import follow

    viewer = current_viewer()
    if viewer is not None:
        follow(viewer)
    return field_layer(DenseField(*read_field(path)), _name(path), path.resolve())


def _layer(path: Path) -> LayerData:
    case = read_case(path)
    plane = case.image.shape[2:] == (1,)
    data = shown(case.images[0])
    data = (data[:, :, 0] if plane else data).T
    settings = {**_axes(case, data.ndim), "name": case.name}
    affine = {"plane_affine" if plane else "affine": case.grid.affine}
    settings["metadata"] = {"drdm": {"path": str(path.resolve()), **affine}}
    if _is_labels(path, data):
        return np.asarray(data, dtype=_label_type(data)), {**settings, "opacity": 0.4}, "labels"
    return data, settings, "image"


def _axes(case: Case, ndim: int) -> dict[str, Any]:
    return {
        "scale": (1.0, *case.grid.spacing[::-1])[4 - ndim :],
        "units": ("pixel", "mm", "mm", "mm")[4 - ndim :],
        "axis_labels": ("t", "z", "y", "x")[4 - ndim :],
    }


def _is_labels(path: Path, data: np.ndarray) -> bool:
    named = _LABELS.search(path.name.lower()) or path.parent.name.lower() in _LABEL_FOLDERS
    if not named:
        return False
    whole = data.dtype.kind in "iub" or bool((data == np.rint(data)).all())
    return whole and len(np.unique(data)) <= _MOST_LABELS


def _label_type(data: np.ndarray) -> np.dtype:
    return data.dtype if data.dtype.kind in "iu" else np.dtype(np.int32)


def _name(path: Path) -> str:
    name = path.name
    return name[: -len(".nii.gz")] if name.lower().endswith(".nii.gz") else path.stem


def _listed(path: Paths) -> list[str | Path]:
    return [path] if isinstance(path, str | Path) else list(path)
