"""Models by the digest of their files."""

from __future__ import annotations

from pathlib import Path

from napari_drdm.sessions.records import ModelRecord
from src_core.errors import InputError
from src_core.io.hashing import sha256_file

__all__ = ["model_path", "model_record"]


def model_record(path: Path, name: str) -> ModelRecord:
    """The record of a model's file.

    Raises:
        InputError: it cannot be read.
    """
    return ModelRecord(name=name, sha256=sha256_file(path), file=str(path.resolve()))


def model_path(wanted: ModelRecord) -> Path | None:
    """The file of a model: where it was, or the library's of its name or of its digest."""
    from src_core.models.library import list_models

    entries = sorted(list_models(), key=lambda entry: entry.name != wanted.name)
    for path in (Path(wanted.file), *(entry.path for entry in entries)):
        try:
            if path.is_file() and sha256_file(path) == wanted.sha256:
                return path
        except InputError:
            continue
    return None
