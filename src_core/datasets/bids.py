"""BIDS data sets: ``sub-01/ses-2/anat/sub-01_ses-2_T1w.nii.gz``, label maps in ``derivatives/``.

A label map of an image has the image's name up to its suffix, and ``dseg``, ``seg``, ``mask`` or
``label`` among what follows. https://doi.org/10.1038/sdata.2016.44
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from src_core.datasets.entry import Entry, stem
from src_core.errors import InputError
from src_core.io.formats import NIFTI
from src_core.io.json_text import parse_json

__all__ = ["is_bids", "read_bids"]

_FACTS = "dataset_description.json"
_LABELS = re.compile(r"(^|[_-])(dseg|seg|mask|label)([_-]|$)")


def is_bids(folder: Path) -> bool:
    """Whether this is a folder of raw data that says it is BIDS."""
    file = folder / _FACTS
    if not file.is_file():
        return False
    try:
        facts = parse_json(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(facts, dict) and "BIDSVersion" in facts


def read_bids(folder: Path) -> Iterator[Entry]:
    """Anatomical images of all subjects, by name, each with its label map in ``derivatives``.

    Raises:
        InputError: there is no anatomical image, or an image has several label maps.
    """
    images = _listed(folder, "sub-*/anat/*", "sub-*/ses-*/anat/*")
    if not images:
        raise InputError(
            "this BIDS data set has no anatomical images",
            where=str(folder),
            expected=f"such as sub-01/anat/sub-01_T1w{NIFTI.endings[0]}",
            do="list its images in a CSV with a column image",
        )
    maps: dict[str, list[Path]] = defaultdict(list)
    for path in _listed(folder / "derivatives", "**/*"):
        maps[_subject(path)].append(path)
    for image in images:
        subject = _subject(image)
        others = [stem(other) for other in images if other != image]
        free = [p for p in maps[subject] if not any(_named([p], other) for other in others)]
        yield Entry(image, _labels_of(image, free), subject)


def _listed(home: Path, *patterns: str) -> list[Path]:
    found = {p for pattern in patterns for p in home.glob(pattern)}
    return sorted(p for p in found if p.name.startswith("sub-") and p.name.endswith(NIFTI.endings))


def _subject(path: Path) -> str:
    return path.name.split("_")[0]


def _labels_of(image: Path, maps: Sequence[Path]) -> Path | None:
    """The one label map of an image: of its name, or of its name without the suffix."""
    whole = stem(image)
    found = _named(maps, whole) or _named(maps, whole.rpartition("_")[0])
    if len(found) > 1:
        raise InputError(
            f"{len(found)} label maps are of this image",
            where=str(image),
            expected=f"one of {', '.join(path.name for path in found[:3])}",
            do="list images and labels in a CSV",
        )
    return found[0] if found else None


def _named(maps: Sequence[Path], begin: str) -> list[Path]:
    """Label maps whose name is ``begin``, and what says that it is one."""
    rests = {path: stem(path).partition(f"{begin}_") for path in maps}
    return [
        path
        for path, (before, found, rest) in rests.items()
        if found and not before and _LABELS.search(rest)
    ]
