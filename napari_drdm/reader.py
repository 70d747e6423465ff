"""NIfTI files as layers, axes reversed: (T, Z, Y, X), (Z, Y, X), or (Y, X) for a single slice.

A displacement field becomes arrows over the image it belongs to.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from napari_drdm.cases import shown
from napari_drdm.field_layers import DenseField, field_layer
from src_core.case import Case
from src_core.io import holds_field, read_case, read_field

__all__ = ["get_reader", "read_layers"]

_ENDINGS = (".nii", ".nii.gz")
_LABELS = re.compile(r"(^|[^a-z])(gt|labels?|masks?|seg|segmentations?)([^a-z]|$)")
_LABEL_FOLDERS = {"gt", "labels", "labelstr", "labelsts", "masks", "segmentations"}
_MOST_LABELS = 256

Paths = str | Path | Sequence[str | Path]
LayerData = tuple[Any, dict[str, Any], str]


def get_reader(path: Paths) -> Callable[[Paths], list[LayerData]] | None:
    """The reader, for NIfTI files and for displacement fields in ITK's other formats."""
    ours = all(str(p).lower().endswith(_ENDINGS) or holds_field(p) for p in _listed(path))
    return read_layers if ours else None


def read_layers(path: Paths) -> list[LayerData]:
    """One layer per file, which remembers where it came from.

    Raises:
        InputError: a file is missing, damaged or no image.
    """
    return [_field(Path(p)) if holds_field(p) else _layer(Path(p)) for p in _listed(path)]


def _field(path: Path) -> LayerData:
    """Arrows, which follow the plane in view where there is a viewer."""
    from napari import current_viewer

    from napari_drdm.field_follower import follow

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
