"""Data sets that ``drdm augment`` wrote: what the run's manifest says of their cases."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from src_core.io.json_text import parse_json

__all__ = ["INDEX", "MANIFEST", "is_run", "subjects_of"]

MANIFEST, INDEX = "manifest.jsonl", "index.csv"


def is_run(folder: Path) -> bool:
    """Whether this is the folder of a run, whose index is a data set."""
    return (folder / MANIFEST).is_file() and (folder / INDEX).is_file()


def subjects_of(path: Path) -> dict[str, str]:
    """The subject of each case, by its name, where a data set is in a run's folder; else empty.

    A new case is named after the case it was made from; its name alone would make it another
    subject.
    """
    home = path.resolve()
    run = next((p for p in (home, *home.parents[:3]) if (p / MANIFEST).is_file()), None)
    return dict(_named(run / MANIFEST)) if run else {}


def _named(manifest: Path) -> Iterator[tuple[str, str]]:
    with suppress(OSError), manifest.open(encoding="utf-8") as file:
        for text in file:
            with suppress(ValueError, KeyError, TypeError):
                line = parse_json(text)
                yield str(line["name"]), str(line["subject"])
