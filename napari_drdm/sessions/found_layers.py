"""Layers of a session from their files again: what moved or changed is named, not guessed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_drdm.layers.cases import LayerCase, shown
from napari_drdm.messages import error_line
from napari_drdm.sessions.folder import stored_file
from napari_drdm.sessions.records import LayerRecord
from src_core.cases.case import Case
from src_core.errors import InputError
from src_core.io import read_case
from src_core.io.hashing import sha256_array

__all__ = ["FoundLayer", "LayerAnswer", "LayerProblem", "find_layer", "layer_settings"]


@dataclass(frozen=True)
class LayerAnswer:
    """What the user decided about a layer.

    Attributes:
        path: another file for it.
        accept: take it although it has changed.
        leave_out: open the session without it and what was made of it.
    """

    path: Path | None = None
    accept: bool = False
    leave_out: bool = False


@dataclass(frozen=True, eq=False)
class FoundLayer:
    """A layer's values in the layer's order, and the file they came from; shapes have neither."""

    record: LayerRecord
    values: NDArray[Any] | None = None
    path: Path | None = None


@dataclass(frozen=True)
class LayerProblem:
    """Why a layer is not as the session left it.

    Attributes:
        words: one line: what is wrong, and what to do.
    """

    record: LayerRecord
    kind: Literal["missing", "changed", "unreadable"]
    path: Path
    words: str


def find_layer(
    record: LayerRecord, session: Path, answer: LayerAnswer | None = None
) -> FoundLayer | LayerProblem:
    """In a worker: a layer from its file, the session's own, or one that the user named.

    Raises:
        InputError: the session refers to a file outside of it, or lacks one of its own.
    """
    if record.kind == "shapes":
        return FoundLayer(record)
    answer = answer or LayerAnswer()
    stored = stored_file(session, record.stored) if record.stored else None
    path = answer.path or stored or Path(record.file or "")
    if (not record.file and stored is None) or not path.exists():
        words = f"{record.name} is not at {path} any more: locate its file, or leave it out"
        return LayerProblem(record, "missing", path, words)
    try:
        case = read_case(path)
    except InputError as error:
        return LayerProblem(record, "unreadable", path, error_line(error))
    volume = case.images[0]
    colours = _colours(case) if record.look.get("rgb") else []
    data = np.stack(colours, axis=-1) if colours else volume.data
    if sha256_array(data) != record.sha256 and not answer.accept:
        words = (
            f"{path.name} is not what {record.name} was when the session was saved: locate the "
            "original, or open it as it is now (results will differ)"
        )
        return LayerProblem(record, "changed", path, words)
    if record.plane and volume.shape[2] != 1:
        words = f"{path.name} has {volume.shape[2]} slices, {record.name} had one: locate its file"
        return LayerProblem(record, "unreadable", path, words)
    back = LayerCase(case, record.plane).back
    values = np.stack(list(map(back, colours)), axis=-1) if colours else back(shown(volume))
    return FoundLayer(record, values, path.resolve())


def _colours(case: Case) -> list[NDArray[Any]]:
    """The channels of a picture in colour, or of one that a session has along the fourth axis."""
    first = case.images[0].data
    if case.images[0].channel is not None:
        return [image.data for image in case.images]
    return list(np.moveaxis(first, 3, 0)) if first.ndim == 4 else []


def layer_settings(found: FoundLayer) -> dict[str, Any]:
    """What a layer is made with besides its values, by napari's names."""
    record = found.record
    look = {k: v for k, v in record.look.items() if k not in ("colormap", "colours")}
    about: dict[str, Any] = dict(record.about)
    if "label_names" in about:
        about["label_names"] = {int(k): str(v) for k, v in about["label_names"].items()}
    for name in ("affine", "plane_affine"):
        if name in about:
            about[name] = np.asarray(about[name], float)
    if found.path is not None:
        about["path"] = str(found.path)
    place = record.place.model_dump()
    for name in ("rotate", "affine"):
        place[name] = np.asarray(place[name], float)
    return {"name": record.name, "metadata": {"drdm": about}, **look, **place}
