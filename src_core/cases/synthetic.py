"""The notice that everything generated carries, in files, reports and windows; its one place."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import nibabel as nib

from src_core.cases.case import Case
from src_core.cases.volume import Volume

__all__ = ["SYNTHETIC", "describe_header", "description_of", "mark_synthetic", "synthetic_note"]

SYNTHETIC = "Synthetic, for research only"
#: Bytes of a NIfTI header's ``descrip``; its last is 0, since C programs read it.
_BYTES = 80


@cache
def synthetic_note() -> str:
    """The notice with the program and its version, for files."""
    try:
        return f"{SYNTHETIC}; napari-drdm {version('napari-drdm')}"
    except PackageNotFoundError:
        return f"{SYNTHETIC}; napari-drdm"


def mark_synthetic(case: Case) -> Case:
    """The case with the notice in every header, so that whoever writes it writes that too."""
    images = tuple(_marked(image) for image in case.images)
    return replace(case, images=images, labels=tuple(_marked(one) for one in case.labels))


def description_of(header: nib.Nifti1Header) -> str:
    """A header's ``descrip``, without what is no text."""
    text = bytes(header["descrip"].tobytes()).split(b"\0")[0].decode("utf-8", "ignore")
    return "".join(c for c in text if c.isprintable()).strip()


def describe_header(header: nib.Nifti1Header, words: str) -> None:
    """Put words first in a header's ``descrip``; what stood there follows as far as it has room.

    No words change nothing.
    """
    if not words:
        return
    earlier = description_of(header)
    if earlier.startswith(SYNTHETIC) and words.startswith(SYNTHETIC):
        earlier = earlier.split(";", 2)[2].strip() if earlier.count(";") > 1 else ""
    text = f"{words}; {earlier}" if earlier else words
    header["descrip"] = text.encode()[: _BYTES - 1].decode("utf-8", "ignore").encode()


def _marked(volume: Any) -> Any:
    header = volume.header.copy()
    describe_header(header, synthetic_note())
    marked: Volume = replace(volume, header=header)
    return marked
