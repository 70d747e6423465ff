"""Cases in a network's window as files, so that trainings can run where the images are not.

``drdm task registration --prepare`` writes them beside the deformations, with a table ``cases.csv``
that is a data set of its own: train, val and test.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import safe_open
from safetensors.numpy import save

from src_core.datasets.reading import Entry
from src_core.errors import InputError
from src_core.experiments.files import write_csv
from src_core.io import open_atomically
from src_core.io.hashing import sha256_file
from src_core.models.model import Model
from src_core.tasks.registration.window import InputWindow, WindowedCase, read_windowed

__all__ = ["PackedFolder", "file_digests", "is_packed", "packed_labels", "read_or_unpack"]

_ENDING, _KEY = ".case.safetensors", "drdm-case"
_COLUMNS = ("image", "labels", "name", "subject", "split")


def is_packed(entry: Entry) -> bool:
    """Whether the image of an entry is a packed case."""
    return entry.image.name.endswith(_ENDING)


def file_digests(entry: Entry) -> list[str | None]:
    """SHA-256 of the image and of the labels, which a packed case remembers."""
    if is_packed(entry):
        return list(_facts(entry.image)["files"])
    return [None if path is None else sha256_file(path) for path in (entry.image, entry.labels)]


def packed_labels(entry: Entry) -> tuple[int, ...]:
    """The label values whose fractions a packed case holds."""
    return tuple(_facts(entry.image)["labels"])


def read_or_unpack(
    entry: Entry, model: Model, labels: Sequence[int], window: InputWindow, name: str
) -> WindowedCase:
    """A case in a window: read from its images, or from a packed case.

    Raises:
        InputError: a file is no image or does not fit the model, or a packed case is of another
            window, model or set of labels.
    """
    if not is_packed(entry):
        return read_windowed(entry, model.spec, labels, window, name)
    facts = _facts(entry.image)
    if any(facts[key] != value for key, value in _deciding(model, labels, window).items()):
        raise InputError(
            "the case was prepared for another model, size or part",
            where=str(entry.image),
            do="prepare it again from its images",
        )
    with safe_open(entry.image, framework="np") as file:
        images, shares = file.get_tensor("images"), file.get_tensor("shares")
    return WindowedCase(name, entry.subject, images, shares, facts["mm"])


@dataclass(frozen=True)
class PackedFolder:
    """Where packed cases and their table are written."""

    folder: Path
    model: Model
    labels: tuple[int, ...]
    window: InputWindow

    def write(self, cases: Sequence[tuple[str, Entry, WindowedCase]]) -> None:
        """Write all cases, each with its split, and then the table."""
        rows = []
        for split, entry, case in cases:
            file = f"{split}-{case.name}{_ENDING}"
            facts = {
                **_deciding(self.model, self.labels, self.window),
                "mm": case.mm_per_voxel,
                "files": file_digests(entry),
            }
            with open_atomically(self.folder / file) as out:
                tensors = {"images": case.images, "shares": case.shares}
                out.write(save(tensors, {_KEY: json.dumps(facts)}))
            rows.append((file, file, case.name, case.subject, split))
        write_csv(self.folder / "cases.csv", _COLUMNS, rows)


def _deciding(model: Model, labels: Sequence[int], window: InputWindow) -> dict[str, Any]:
    return {
        "model": model.sha256,
        "labels": list(labels),
        "size": window.size,
        "part": window.part,
    }


def _facts(path: Path) -> dict[str, Any]:
    with safe_open(path, framework="np") as file:
        return dict(json.loads((file.metadata() or {})[_KEY]))
