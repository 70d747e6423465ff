"""A session in the explorer again: read in a worker, then its layers, results and form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image, Labels, Shapes
from napari.utils.colormaps import AVAILABLE_COLORMAPS, DirectLabelColormap

from napari_drdm.sessions.folder import VariantFiles, read_session, read_variant
from napari_drdm.sessions.found_layers import (
    FoundLayer,
    LayerAnswer,
    LayerProblem,
    find_layer,
    layer_settings,
)
from napari_drdm.sessions.models_wanted import model_path
from napari_drdm.sessions.records import ModelRecord, SessionRecord
from napari_drdm.variants import RunInputs, Variant

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer

    from napari_drdm.variants import History

__all__ = ["OpenedSession", "add_layers", "add_variants", "read_all"]


@dataclass(frozen=True, eq=False)
class OpenedSession:
    """What was read of a session.

    Attributes:
        problems: layers that are not as they were, and for which there is no answer yet.
        models: files by the digests of models; None where there is none.
        files: of the results, in the record's order.
    """

    path: Path
    record: SessionRecord
    layers: tuple[FoundLayer, ...]
    problems: tuple[LayerProblem, ...]
    models: Mapping[str, Path | None]
    files: tuple[VariantFiles, ...]

    @property
    def missing_models(self) -> list[str]:
        """Names of the models that are not installed."""
        return sorted({m.name for m in _models(self.record) if self.models[m.sha256] is None})


def read_all(path: Path, answers: Mapping[str, LayerAnswer]) -> OpenedSession:
    """In a worker: everything that a session refers to.

    Args:
        path: of its folder.
        answers: what the user decided about layers, by their ids.

    Raises:
        InputError: it is no session, or damaged.
    """
    record = read_session(path)
    wanted = [one for one in record.layers if not answers.get(one.id, LayerAnswer()).leave_out]
    found = [find_layer(one, path, answers.get(one.id)) for one in wanted]
    models = {m.sha256: m for m in _models(record)}
    return OpenedSession(
        path,
        record,
        tuple(one for one in found if isinstance(one, FoundLayer)),
        tuple(one for one in found if isinstance(one, LayerProblem)),
        {digest: model_path(model) for digest, model in models.items()},
        tuple(read_variant(path, variant.folder) for variant in record.variants),
    )


def add_layers(viewer: ViewerModel, session: OpenedSession) -> dict[str, Layer]:
    """Its layers by their ids; those that the viewer has already are not added again."""
    layers = {}
    for found in session.layers:
        layer = _same_layer(viewer, found) or _new_layer(found)
        if layer not in viewer.layers:
            viewer.layers.append(layer)
        layers[found.record.id] = layer
    return layers


def add_variants(
    history: History, session: OpenedSession, layers: Mapping[str, Layer]
) -> dict[int, Variant]:
    """Its results by their place in the record; those of layers that are left out are not there."""
    added: dict[int, Variant] = {}
    for place in reversed(range(len(session.record.variants))):
        record, files = session.record.variants[place], session.files[place]
        ids = [i for i in (record.source, record.labels, *record.extras) if i is not None]
        if any(i not in layers for i in ids):
            continue
        inputs = RunInputs(
            layers[record.source],
            layers[record.labels] if record.labels else None,
            tuple(layers[i] for i in record.extras),
            session.models[record.model.sha256] or _nowhere(record.model),
            record.options,
        )
        known = history.find(inputs)
        if known is None:
            known = Variant(0, record.name, inputs, files.picture, files.metrics)
            known.recipe, known.pinned, known.picked = files.recipe, record.pinned, True
            history.put(known)
        added[place] = known
    return added


def _models(record: SessionRecord) -> list[ModelRecord]:
    own = [record.form.model] if record.form.model else []
    return [*own, *(variant.model for variant in record.variants)]


def _nowhere(model: ModelRecord) -> Path:
    """A file that is not there, so that another model of the same name is never taken for it."""
    return Path(f"{model.name} ({model.sha256[:12]}, not installed).safetensors")


def _same_layer(viewer: ViewerModel, found: FoundLayer) -> Layer | None:
    kinds = {"image": Image, "labels": Labels}
    for layer in viewer.layers:
        if not isinstance(layer, kinds.get(found.record.kind, ())) or found.values is None:
            continue
        same = layer.name == found.record.name and layer.data.shape == found.values.shape
        if same and np.array_equal(layer.data, found.values):
            return layer
    return None


def _new_layer(found: FoundLayer) -> Layer:
    settings, record = layer_settings(found), found.record
    if record.kind == "shapes":
        corners = [np.asarray(shape.corners) for shape in record.shapes]
        style: dict[str, Any] = {"face_color": "#00000000", "edge_color": "#ffd24a"}
        kinds = [shape.kind for shape in record.shapes]
        ndim = len(record.place.scale)
        return Shapes(corners, ndim=ndim, shape_type=kinds or "rectangle", **style, **settings)
    values = np.asarray(found.values)
    if record.kind == "image":
        name = record.look.get("colormap", "gray")
        return Image(values, colormap=name if name in AVAILABLE_COLORMAPS else "gray", **settings)
    whole = values if values.dtype.kind in "iu" else values.astype(np.int32)
    table = record.look.get("colours")
    if table:
        colours = {None if k == "None" else int(k): v for k, v in table.items()}
        settings["colormap"] = DirectLabelColormap(color_dict=colours)
    return Labels(whole, **settings)
