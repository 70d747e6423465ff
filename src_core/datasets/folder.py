"""Data sets that are folders.

Either ``images/`` and ``labels/`` with equal names, or images beside their label maps, whose
names differ by an ending such as ``_seg`` or ``_gt``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from src_core.datasets.entry import Entry, stem, subject_of
from src_core.errors import InputError
from src_core.io.formats import image_endings

__all__ = ["beside", "files_of", "is_flat", "read_folder"]

_LABELS = re.compile(r"[_-](seg|segmentation|label|labels|mask|gt)$", re.IGNORECASE)


def files_of(folder: Path, endings: tuple[str, ...]) -> list[Path]:
    """Images of a folder, or of its ``images/``, by name."""
    return _listed(folder if is_flat(folder) else folder / "images", endings)


def is_flat(folder: Path) -> bool:
    """Whether images lie in the folder itself."""
    return not (folder / "images").is_dir()


def _listed(home: Path, endings: tuple[str, ...]) -> list[Path]:
    found = (p for p in home.iterdir() if p.name.lower().endswith(endings))
    return sorted(p for p in found if not p.name.startswith("."))


def read_folder(folder: Path) -> Iterator[Entry]:
    """The cases of a folder, by name.

    Raises:
        InputError: there are label maps, but none of an image.
    """
    endings = image_endings()
    if is_flat(folder):
        yield from beside(files_of(folder, endings))
        return
    images, home = files_of(folder, endings), folder / "labels"
    maps = _listed(home, endings) if home.is_dir() else []
    by_name = {_case_of(p): p for p in maps} | {stem(p): p for p in maps}
    if images and maps and not any(stem(image) in by_name for image in images):
        raise InputError(
            "no label map has the name of an image",
            where=str(home),
            expected=f"such as {images[0].name}",
        )
    for image in images:
        yield Entry(image, by_name.get(stem(image)), subject_of(stem(image)))


def beside(files: Sequence[Path]) -> Iterator[Entry]:
    """Images beside their label maps, which have the image's name and an ending."""
    stems = {stem(file) for file in files}
    maps = {_case_of(file): file for file in files if _case_of(file) in stems - {stem(file)}}
    for image in files:
        if image not in maps.values():
            yield Entry(image, maps.get(stem(image)), subject_of(stem(image)))


def _case_of(labels: Path) -> str:
    """The name of a label map's case: ``patient001`` of ``patient001_seg.nii.gz``."""
    return _LABELS.sub("", stem(labels))
