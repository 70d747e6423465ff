"""Layers as records and values of a session: taken on the main thread, identified in a worker."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_drdm.layers.cases import Snapshot, make_case
from napari_drdm.layers.geometry import placement
from napari_drdm.layers.snapshots import take_snapshot
from napari_drdm.sessions.folder import ENDING
from napari_drdm.sessions.records import LayerRecord, PlaceRecord, ShapeRecord
from src_core.cases.grid import Grid
from src_core.cases.header import header_for
from src_core.cases.volume import Volume
from src_core.io import volume_file, write_image
from src_core.io.hashing import sha256_array

if TYPE_CHECKING:
    from napari.layers import Layer

__all__ = ["IdentifiedLayer", "TakenLayer", "identified", "take_layer"]

_KINDS = {"Image": "image", "Labels": "labels", "Shapes": "shapes"}
_LOOK = ("opacity", "blending", "visible")
_OF_IMAGES = ("contrast_limits", "gamma", "interpolation2d", "interpolation3d", "rendering")
#: Numbers that an entry of a layer's metadata may have.
_FEW = 64


@dataclass(frozen=True, eq=False)
class TakenLayer:
    """A layer's record without its file, and its values; no values for shapes."""

    record: LayerRecord
    snapshot: Snapshot | None


def take_layer(layer: Layer, number: int, there: bool = True) -> TakenLayer:
    """What a session needs of an image, labels or shapes; nothing is copied.

    Args:
        there: it is in the viewer; one that is not is hidden when the session is opened.

    Raises:
        InputError: it is no image that a case can be made of.
    """
    kind = _KINDS[type(layer).__name__]
    record = LayerRecord.model_validate(
        {
            "id": f"{kind}-{number}",
            "kind": kind,
            "name": layer.name,
            "plane": layer.ndim == 2,
            "place": _place(layer),
            "look": {**_look(layer), "visible": bool(layer.visible and there)},
            "about": _about(layer),
            "shapes": _shapes(layer) if kind == "shapes" else (),
        }
    )
    layer_is_shapes = kind == "shapes"
    return TakenLayer(record, None if layer_is_shapes else take_snapshot(layer))


@dataclass(frozen=True, eq=False)
class IdentifiedLayer:
    """A layer's record with its digest and file.

    Attributes:
        grid: where its voxels lie, None for shapes.
        write: stores the values, where they are in no file.
    """

    record: LayerRecord
    grid: Grid | None = None
    write: Callable[[Path], None] | None = None


def identified(taken: TakenLayer, grid: Grid | None = None) -> IdentifiedLayer:
    """In a worker: find out whether a layer's values are in a file.

    Args:
        taken: the layer.
        grid: of the image that it goes with, where it is stored in the session.

    Raises:
        InputError: the values are no image.
    """
    if taken.snapshot is None:
        return IdentifiedLayer(taken.record)
    made = make_case(taken.snapshot.copied())
    volume, own = made.case.images[0], made.case.grid
    data, path = volume.data, volume.path
    if made.colours:  # along the fourth axis, as ``find_layer`` reads it
        data = np.stack([v.data for v in made.case.images[: made.colours]], axis=-1)
    digest = sha256_array(data)
    if path is not None and not any(p.suffix.lower() == ENDING for p in path.resolve().parents):
        found = {"sha256": digest, "file": str(path.resolve())}
        return IdentifiedLayer(taken.record.model_copy(update=found), own)
    inside = f"sources/{volume_file(digest[:16])}"
    record = taken.record.model_copy(update={"sha256": digest, "stored": inside})
    placed = own if grid is None or grid.shape != own.shape else grid
    stored = Volume(data, header_for(placed, data.dtype, data.shape))
    return IdentifiedLayer(record, own, partial(_write, stored, placed))


def _write(volume: Volume, grid: Grid, path: Path) -> None:
    write_image(path, volume.data, volume, grid)


def _place(layer: Layer) -> PlaceRecord:
    place = placement(layer, layer.ndim)
    numbers = {n: np.asarray(place[n]).tolist() for n in ("scale", "translate", "shear")}
    tables = {n: np.asarray(place[n]).tolist() for n in ("rotate", "affine")}
    words = {n: tuple(map(str, place[n])) for n in ("units", "axis_labels")}
    return PlaceRecord.model_validate({**numbers, **tables, **words})


def _look(layer: Layer) -> dict[str, Any]:
    names = _LOOK + (_OF_IMAGES if type(layer).__name__ == "Image" else ())
    look = {name: _plain(getattr(layer, name)) for name in names}
    colours: Any = getattr(layer, "colormap", None)
    if type(layer).__name__ == "Image":
        look["colormap"] = str(colours.name)
    elif hasattr(colours, "color_dict"):
        table = {str(k): np.asarray(v).tolist() for k, v in colours.color_dict.items()}
        look["colours"] = table
    if getattr(layer, "rgb", False):
        look["rgb"] = True
    return {name: value for name, value in look.items() if value is not None}


def _about(layer: Layer) -> dict[str, Any]:
    known = {k: _plain(v) for k, v in layer.metadata.get("drdm", {}).items() if k != "path"}
    return {name: value for name, value in known.items() if value is not None}


def _shapes(layer: Any) -> tuple[ShapeRecord, ...]:
    pairs = zip(layer.shape_type, layer.data, strict=True)
    return tuple(
        ShapeRecord(kind=str(kind), corners=tuple(map(tuple, np.asarray(data).tolist())))
        for kind, data in pairs
    )


def _plain(value: Any) -> Any:
    """A value as JSON has it; None where it is large or no such value."""
    if isinstance(value, bool | int | float | str):
        return str(value) if isinstance(value, str) else value
    if isinstance(value, dict):
        return {str(k): v for k, v in ((k, _plain(v)) for k, v in value.items()) if v is not None}
    if isinstance(value, np.ndarray | list | tuple):
        array = np.asarray(value)
        return array.tolist() if array.dtype.kind in "biufU" and array.size <= _FEW else None
    return None
