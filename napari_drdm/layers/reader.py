"""Images as layers, axes reversed: (T, Z, Y, X), (Z, Y, X), or (Y, X) for a single slice.

Every format of the engine's table that other readers do not know better, as they do pictures.
A displacement field becomes arrows over the image it belongs to.
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
from src_core.cases.synthetic import SYNTHETIC, description_of
from src_core.errors import InputError
from src_core.io import holds_field, read_case
from src_core.io.field_files import content_of
from src_core.io.formats import ending_of, format_of, image_endings, without_ending

__all__ = ["get_reader", "read_layers"]

_LABELS = re.compile(r"(^|[^a-z])(gt|labels?|masks?|seg|segmentations?)([^a-z]|$)")
_LABEL_FOLDERS = {"gt", "labels", "labelstr", "labelsts", "masks", "segmentations"}
_MOST_LABELS = 256
#: The kind of field that is opened without a message.
_PLAIN = "lps"

Paths = str | Path | Sequence[str | Path]
LayerData = tuple[Any, dict[str, Any], str]


def get_reader(path: Paths) -> Callable[[Paths], list[LayerData]] | None:
    """The reader, where every file or folder holds an image or a field that it knows."""
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
    """Whether a file or folder is an image that no other reader knows better, or a field."""
    found = format_of(path)
    if os.path.isdir(path):
        holds = found.holds_folder if found else None
        return holds is not None and holds(Path(path))
    return ending_of(path) in image_endings(pictures=False) or holds_field(path)


def _field(path: Path) -> LayerData:
    """Arrows, which follow the plane in view where there is a viewer."""
    from napari import current_viewer
    from napari.utils.notifications import show_info

    from napari_drdm.layers.field_follower import follow
    from src_core.recipes.pulled_back import pulled_back

    viewer = current_viewer()
    if viewer is not None:
        follow(viewer)
    field, content = DenseField(*pulled_back(path)), content_of(path)
    if content is not None and content.kind is not None and content.kind.name != _PLAIN:
        show_info(f"{path.name}: a field of {content.what} ({content.why})")
    return field_layer(field, without_ending(path), path.resolve())


def _layer(path: Path) -> LayerData:
    case = read_case(path)
    plane = case.image.shape[2:] == (1,)
    data = shown(case.images[0])
    data = (data[:, :, 0] if plane else data).T
    settings = {**_axes(case, data.ndim), "name": case.name}
    affine = {"plane_affine" if plane else "affine": case.grid.affine}
    notice = description_of(case.images[0].header)
    known = {"notice": notice} if notice.startswith(SYNTHETIC) else {}
    settings["metadata"] = {"drdm": {"path": str(path.resolve()), **affine, **known}}
    content = content_of(path)
    if _is_labels(path, data) or (content is not None and content.holds == "labels"):
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


def _listed(path: Paths) -> list[str | Path]:
    return [path] if isinstance(path, str | Path) else list(path)
