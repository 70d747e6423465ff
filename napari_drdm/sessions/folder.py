"""The folder of a session: written whole or not at all, and read back without trusting it.

``session.json`` refers to files in ``sources/`` (values of layers without a file of their own) and
``variants/`` (recipe, metrics and picture of each result; ``drdm replay`` takes such a recipe).
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Picture
from pydantic import ValidationError

from napari_drdm.sessions.records import SessionRecord
from src_core.errors import InputError
from src_core.io.atomic import partial_name
from src_core.io.case_files import write_json
from src_core.io.json_text import parse_json

__all__ = [
    "ENDING",
    "VariantFiles",
    "is_session",
    "read_session",
    "read_variant",
    "session_path",
    "stored_file",
    "write_session",
]

ENDING, _RECORD = ".drdm", "session.json"


@dataclass(frozen=True, eq=False)
class VariantFiles:
    """What lies in a result's folder.

    Attributes:
        picture: (side, side, 3), uint8.
    """

    picture: NDArray[np.uint8]
    metrics: dict[str, Any] = field(default_factory=dict)
    recipe: dict[str, Any] = field(default_factory=dict)


def is_session(path: str | os.PathLike[str]) -> bool:
    """Whether a path is named as a session's folder, and is a folder."""
    return Path(path).suffix.lower() == ENDING and Path(path).is_dir()


def session_path(path: str | os.PathLike[str]) -> Path:
    """A path with the ending of a session's folder."""
    whole = Path(os.path.abspath(path))
    return whole if whole.suffix.lower() == ENDING else whole.with_name(whole.name + ENDING)


def write_session(
    path: Path,
    record: SessionRecord,
    sources: dict[str, Callable[[Path], None]],
    variants: tuple[VariantFiles, ...],
) -> Path:
    """Write a session; one that is there already is replaced by the whole of the new one.

    Args:
        path: of its folder.
        record: what ``session.json`` says.
        sources: by ``LayerRecord.stored``, each writes its file to the path it is given.
        variants: one for each of the record's.

    Raises:
        InputError: it cannot be written, or something else than a session is in the way.
    """
    with _whole_folder(path) as place:
        for inside, write in sources.items():
            (place / inside).parent.mkdir(exist_ok=True)
            write(place / inside)
        for variant, files in zip(record.variants, variants, strict=True):
            folder = place / variant.folder
            folder.mkdir(parents=True)
            write_json(folder / "recipe.json", files.recipe)
            write_json(folder / "metrics.json", files.metrics)
            Picture.fromarray(files.picture).save(folder / "picture.png")
        write_json(place / _RECORD, record.model_dump(mode="json"))
    return path


def read_session(path: Path) -> SessionRecord:
    """What a session says.

    Raises:
        InputError: there is none, it is damaged, or of a version that is not known here.
    """
    try:
        raw = parse_json((path / _RECORD).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(
            "this is no session", where=str(path), expected=f"a folder with {_RECORD}"
        ) from error
    version = raw.get("version") if isinstance(raw, dict) else None
    if isinstance(version, int) and version > 1:
        raise InputError(
            f"this session has version {version}",
            where=str(path),
            expected="version 1",
            do="update napari-drdm",
        )
    try:
        return SessionRecord.model_validate(raw)
    except ValidationError as error:
        first = error.errors()[0]
        what = ".".join(map(str, first["loc"])) or "whole"
        raise InputError(
            f"the session is damaged at {what}: {first['msg']}", where=str(path / _RECORD)
        ) from error


def stored_file(path: Path, inside: str) -> Path:
    """A file or folder of a session.

    Raises:
        InputError: it is missing, or lies outside, by a link for example.
    """
    whole = path / inside
    if not whole.resolve().is_relative_to(path.resolve()):
        raise InputError("the session refers to a file outside of it", where=str(whole))
    if not whole.exists():
        raise InputError("a file of the session is missing", where=str(whole))
    return whole


def read_variant(path: Path, inside: str) -> VariantFiles:
    """The files of a result; a picture that cannot be read is grey.

    Raises:
        InputError: recipe or metrics are missing or damaged.
    """
    folder = stored_file(path, inside)
    texts = [_json(stored_file(path, f"{inside}/{name}.json")) for name in ("metrics", "recipe")]
    try:
        with Picture.open(folder / "picture.png") as stored:
            picture = np.asarray(stored.convert("RGB"), np.uint8)
    except (OSError, ValueError, Picture.DecompressionBombError):
        picture = np.full((112, 112, 3), 90, np.uint8)
    return VariantFiles(picture, *texts)


def _json(path: Path) -> dict[str, Any]:
    try:
        values = parse_json(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise InputError("a file of the session is damaged", where=str(path)) from error
    if not isinstance(values, dict):
        raise InputError("a file of the session is damaged", where=str(path))
    return values


@contextmanager
def _whole_folder(path: Path) -> Iterator[Path]:
    """A folder to write in, which takes the place of ``path`` when the block ends well."""
    _check_place(path)
    partial = path.with_name(partial_name(path.name))
    try:
        partial.mkdir(parents=True)
        yield partial
        _exchange(partial, path)
    except OSError as error:
        raise InputError(
            f"the session cannot be written ({error.strerror or error})",
            where=str(path),
            do="choose another place",
        ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _check_place(path: Path) -> None:
    empty = path.is_dir() and not any(path.iterdir())
    if path.exists() and not empty and not (path / _RECORD).is_file():
        raise InputError(
            "something that is no session is in the way",
            where=str(path),
            expected="a name not in use, or a session",
            do="choose another name",
        )


def _exchange(new: Path, path: Path) -> None:
    """Move a folder to its place; what was there goes only once the new one is there."""
    old = path.with_name(partial_name(path.name))
    if path.exists():
        os.replace(path, old)
    try:
        os.replace(new, path)
    except OSError:
        if old.exists():
            os.replace(old, path)
        raise
    shutil.rmtree(old, ignore_errors=True)
