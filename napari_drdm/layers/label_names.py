"""Names of labels: those that a reader or sample left, and those that the user gave and keeps.

They stand in the layer's metadata, ``metadata["drdm"]["label_names"]``; the user's are kept from
one session to the next by the label file that they belong to.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from napari_drdm.settings import RememberedNames, load_settings, save_settings

if TYPE_CHECKING:
    from napari.layers import Layer

__all__ = ["label_names", "name_label", "recall_names"]

#: Label files whose names are kept; those named longest ago go first.
_MOST_FILES = 500


def label_names(labels: Layer | None) -> Mapping[int, str]:
    """Names by value, of those labels that have one."""
    names: Mapping[int, str] = {}
    if labels is not None:
        names = labels.metadata.get("drdm", {}).get("label_names", {})
    return names


def recall_names(labels: Layer | None) -> None:
    """Give a layer the names that its file's labels were given in an earlier session."""
    file = _file(labels)
    if labels is None or file is None:
        return
    kept = load_settings(RememberedNames).files.get(file, {})
    if kept:
        named = {int(value): name for value, name in kept.items() if value.lstrip("-").isdigit()}
        _set(labels, {**label_names(labels), **named})


def name_label(labels: Layer, value: int, name: str) -> None:
    """Name a label, or take its name away where it is empty, and keep that with its file."""
    names = {v: known for v, known in label_names(labels).items() if v != value}
    _set(labels, {**names, value: name} if name else names)
    file = _file(labels)
    if file is not None:
        kept = dict(load_settings(RememberedNames).files)
        mine = {**kept.pop(file, {}), str(value): name}
        kept[file] = mine if name else {v: n for v, n in mine.items() if n}
        newest = dict(list(kept.items())[-_MOST_FILES:])
        save_settings(RememberedNames(files=newest))


def _set(labels: Layer, names: dict[int, str]) -> None:
    known = {**labels.metadata.get("drdm", {}), "label_names": names}
    labels.metadata = {**labels.metadata, "drdm": known}


def _file(labels: Layer | None) -> str | None:
    """The file that a layer came from."""
    if labels is None:
        return None
    path = labels.metadata.get("drdm", {}).get("path") or labels.source.path
    return str(Path(path).resolve()) if path else None
