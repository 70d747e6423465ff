"""The explorer as a session: taken from form and results at once, written in a worker."""

from __future__ import annotations

import copy
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_drdm.explorer.remembered import remembered_of
from napari_drdm.sessions.folder import VariantFiles, write_session
from napari_drdm.sessions.models_wanted import model_record
from napari_drdm.sessions.records import (
    FormRecord,
    LayerRecord,
    ModelRecord,
    SearchRecord,
    SessionRecord,
    VariantRecord,
)
from napari_drdm.sessions.taken_layers import (
    IdentifiedLayer,
    TakenLayer,
    identified,
    take_layer,
)
from src_core.steering.targets import target_text

if TYPE_CHECKING:
    from napari.layers import Layer

    from napari_drdm.explorer.form import ExplorerForm
    from napari_drdm.variants import Variant, Variants
    from src_core.steering.kinds import Target

__all__ = ["SessionDraft", "take_session", "write_draft"]


@dataclass(frozen=True, eq=False)
class SessionDraft:
    """A session before digests are known.

    Attributes:
        layers: by the numbers that ``ids`` has for them.
        variants: newest first.
        ids: of layers, by their identity.
        images: the image that a layer lies on, by ids.
        form: what a FormRecord takes, but the model.
        model: file and name of the form's model.
    """

    layers: tuple[TakenLayer, ...]
    variants: tuple[Variant, ...]
    ids: dict[int, str]
    images: dict[str, str]
    form: dict[str, Any]
    model: tuple[Path, str] | None


def take_session(
    form: ExplorerForm, variants: Variants, targets: Sequence[Target], there: Container[Layer]
) -> SessionDraft:
    """All that a session holds, on the main thread; values are not copied.

    Args:
        there: the viewer's layers; others are hidden when the session is opened.

    Raises:
        InputError: a layer is no image that a case can be made of.
    """
    kept = tuple(variants.history)
    layers = _layers_of(form, kept)
    taken = tuple(take_layer(one, number, one in there) for number, one in enumerate(layers, 1))
    ids = {id(layer): one.record.id for layer, one in zip(layers, taken, strict=True)}
    entry = form.sources.model.value()
    shown = [place for place, v in enumerate(kept) if v.number == variants.current]
    values = {
        "settings": remembered_of(form).model_dump(mode="json"),
        "image": ids.get(id(form.sources.image.value())),
        "labels": ids.get(id(form.sources.labels.value())),
        "extras": tuple(ids[id(x)] for x in form.more.extras.values() if id(x) in ids),
        "region": ids.get(id(form.more.region.value())),
        "targets": tuple(map(target_text, targets)),
        "search": _search(form),
        "sections": tuple(name for name, section in form.sections.items() if section.opened),
        "shown": next(iter(shown), None),
    }
    model = (entry.path, entry.name) if entry else None
    return SessionDraft(taken, kept, ids, _images(form, kept, ids), values, model)


def write_draft(draft: SessionDraft, path: Path) -> SessionRecord:
    """In a worker: find out what is in files, and write the session; returns its record.

    Raises:
        InputError: it cannot be written.
    """
    found: dict[str, IdentifiedLayer] = {}
    for taken in sorted(draft.layers, key=lambda one: one.record.id in draft.images):
        image = found.get(draft.images.get(taken.record.id, ""))
        found[taken.record.id] = identified(taken, image.grid if image else None)
    records = [found[taken.record.id].record for taken in draft.layers]
    sources = {r.record.stored: r.write for r in found.values() if r.record.stored and r.write}
    folders = [f"variants/{number}" for number in range(1, len(draft.variants) + 1)]
    record = SessionRecord(
        software=version("napari-drdm"),
        layers=tuple(records),
        variants=tuple(
            _variant(draft, variant, folder)
            for variant, folder in zip(draft.variants, folders, strict=True)
        ),
        form=FormRecord(**draft.form, model=model_record(*draft.model) if draft.model else None),
    )
    files = (
        VariantFiles(v.picture, dict(v.metrics), _with_stored(v.recipe, records))
        for v in draft.variants
    )
    write_session(path, record, sources, tuple(files))
    return record


def _images(form: ExplorerForm, variants: Iterable[Variant], ids: dict[int, str]) -> dict[str, str]:
    """The image that labels and further layers lie on, by the ids of both."""
    sources = form.sources
    pairs = [
        (x, sources.image.value()) for x in (sources.labels.value(), *form.more.extras.values())
    ]
    for variant in variants:
        inputs = variant.inputs
        pairs += [(x, inputs.source) for x in (inputs.labels, *inputs.extras)]
    known = [(layer, image) for layer, image in pairs if layer is not None and image is not None]
    return {ids[id(layer)]: ids[id(image)] for layer, image in known}


def _layers_of(form: ExplorerForm, variants: Iterable[Variant]) -> list[Layer]:
    """The layers that form and results refer to, each once."""
    sources, more = form.sources, form.more
    chosen = [sources.image.value(), sources.labels.value(), *more.extras.values()]
    chosen.append(more.region.value())
    for variant in variants:
        chosen += [variant.inputs.source, variant.inputs.labels, *variant.inputs.extras]
    return list({id(layer): layer for layer in chosen if layer is not None}.values())


def _variant(draft: SessionDraft, variant: Variant, folder: str) -> VariantRecord:
    inputs = variant.inputs
    return VariantRecord(
        name=variant.name,
        source=draft.ids[id(inputs.source)],
        labels=draft.ids.get(id(inputs.labels)),
        extras=tuple(draft.ids[id(extra)] for extra in inputs.extras),
        model=_model_of(variant),
        options=inputs.options,
        pinned=variant.pinned,
        folder=folder,
    )


def _model_of(variant: Variant) -> ModelRecord:
    """The model that made a result, as its recipe names it."""
    known = variant.recipe.get("model")
    if known:
        return ModelRecord.model_validate(known)
    return model_record(variant.inputs.model, variant.inputs.model.stem)


def _with_stored(recipe: Any, layers: Sequence[LayerRecord]) -> dict[str, Any]:
    """A recipe whose inputs without a file are those that the session stores."""
    stored = {layer.sha256: layer.stored for layer in layers if layer.stored}
    changed = copy.deepcopy(dict(recipe))
    for array in changed.get("inputs", {}).get("arrays", {}).values():
        if array["sha256"] in stored:
            array["path"] = f"../../{stored[array['sha256']]}"
    return changed


def _search(form: ExplorerForm) -> SearchRecord:
    panel, label = form.distribution, form.distribution.chosen()
    return SearchRecord(
        wanted=panel.wanted.value(),
        label=label.name if label else None,
        low=panel.low.value(),
        high=panel.high.value(),
        tries=panel.tries.value(),
    )
