"""A case as the files of a folder: its volumes by name, and JSON beside them."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from src_core.cases.case import Case
from src_core.cases.synthetic import description_of
from src_core.cases.volume import Volume
from src_core.io.atomic import open_atomically
from src_core.io.formats import ending_of, is_picture, volume_file
from src_core.io.picture import write_colours
from src_core.io.volumes import write_image

__all__ = ["PARTS", "input_volumes", "save_case", "write_json"]

#: What a result can be written as, one name for each kind of file.
PARTS = ("image", "labels", "displacement", "inverse", "jacobian")


def input_volumes(case: Case) -> dict[str, Volume]:
    """A case's volumes by name: image, image-2, ..., labels, labels-2, ..."""
    named: dict[str, Volume] = {f"image{_number(i)}": v for i, v in enumerate(case.images)}
    return named | {f"labels{_number(i)}": v for i, v in enumerate(case.labels)}


def save_case(case: Case, place: Path, source: Case, what: Collection[str] = PARTS) -> None:
    """``image.nii.gz`` and ``labels.nii.gz``, or one of the two, further ones numbered from 2.

    What came as a picture in ``source`` is written back as a picture, too.
    """
    came = input_volumes(source)
    for name, volume in input_volumes(case).items():
        if name.split("-")[0] not in what:
            continue
        write_image(place / volume_file(name), volume.data, volume, case.grid)
        path, channel = came[name].path, came[name].channel
        if path is None or not is_picture(path):
            continue
        file = place / f"{name}{ending_of(path)}"
        if channel is None:
            write_image(file, volume.data, volume)
        elif channel == 0:
            write_colours(file, _channels(case, source, path), description_of(volume.header))


def write_json(path: Path, values: Any, indent: int = 2) -> None:
    """Readable JSON, keys in the order they were made, the file whole or not at all.

    Raises:
        InputError: it cannot be written.
    """
    with open_atomically(path) as file:
        file.write((json.dumps(values, indent=indent) + "\n").encode())


def _channels(case: Case, source: Case, path: Path) -> list[NDArray[Any]]:
    """The new channels of a picture in colour."""
    pairs = zip(case.images, source.images, strict=True)
    return [new.data for new, old in pairs if old.path == path]


def _number(index: int) -> str:
    return f"-{index + 1}" if index else ""
