"""Data sets that a ``dataset.json`` describes: nnU-Net v2 and v1 raw, and the decathlon's (MSD).

nnU-Net: ``imagesTr/CASE_0000.nii.gz`` for channel 0 and so on, ``labelsTr/CASE.nii.gz``; or a
``dataset`` table in the file. Decathlon: a list ``training`` of ``image`` and ``label``, channels
along the images' fourth axis. nnU-Net v1 has both: a list of names without the channels' numbers.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from src_core.datasets.entry import Absent, Entry, stem, subject_of
from src_core.errors import InputError
from src_core.io.formats import NIFTI
from src_core.io.json_text import parse_json

__all__ = ["IGNORE", "Catalogue", "is_described", "read_catalogue", "read_described"]

FILE = "dataset.json"
#: The name of nnU-Net's label for voxels that are not annotated.
IGNORE = "ignore"
_CHANNEL = re.compile(r"(.+)_(\d{4})")
_Row = tuple[str, list[Path], "Path | None"]


@dataclass(frozen=True)
class Catalogue:
    """What a ``dataset.json`` says of all cases.

    Attributes:
        channels: their names, in order.
        labels: values by name, the background's 0 among them; a list of values is a region.
        others: what else is worth keeping, by its key in the file.
    """

    channels: tuple[str, ...] = ("image",)
    labels: Mapping[str, int | list[int]] = field(default_factory=dict)
    others: Mapping[str, Any] = field(default_factory=dict)


def is_described(path: Path) -> bool:
    """Whether this is a ``dataset.json``, or a folder with one."""
    return (path / FILE).is_file() or (path.name == FILE and path.is_file())


def read_described(path: Path, absent: Absent = "refuse") -> list[Entry]:
    """The training cases of such a data set.

    Raises:
        InputError: the file cannot be understood, or (with "refuse") names files that do not
            exist.
    """
    file, facts = _facts(path)
    if "file_ending" in facts:
        return list(_numbered(file, facts, absent))
    if isinstance(facts.get("training"), list):
        first_version = _is_first_version(file, facts["training"])
        return list(
            _numbered(file, {"file_ending": NIFTI.endings[0]}, absent)
            if first_version
            else _listed(file, facts["training"], absent)
        )
    raise InputError(
        "neither nnU-Net v2 nor the decathlon describes a data set like this",
        where=str(file),
        expected="file_ending and channel_names, or a list training",
    )


def read_catalogue(path: Path) -> Catalogue:
    """Names of channels and labels.

    Raises:
        InputError: the file cannot be understood.
    """
    file, facts = _facts(path)
    try:
        channels = facts.get("channel_names") or facts.get("modality") or {"0": "image"}
        names = tuple(str(channels[key]) for key in sorted(channels, key=int))
        labels = dict(_label(key, value) for key, value in facts.get("labels", {}).items())
    except (AttributeError, TypeError, ValueError, OverflowError) as error:
        raise InputError(
            "its channels or labels cannot be understood",
            where=str(file),
            expected='such as {"0": "T1"} and {"background": 0, "heart": 1}',
        ) from error
    _check_order(file, labels, facts.get("regions_class_order"))
    kept = ("regions_class_order", "description", "reference", "licence", "license", "release")
    return Catalogue(names, labels, {k: facts[k] for k in kept if k in facts})


def _check_order(file: Path, labels: Mapping[str, int | list[int]], order: Any) -> None:
    """nnU-Net wants a value for each label and region except the background and ``ignore``."""
    if order is None:
        return
    regions = [name for name, v in labels.items() if v != 0 and name != IGNORE]
    values = {0}.union(*([v] if isinstance(v, int) else v for v in labels.values()))
    whole = isinstance(order, list) and all(type(v) is int and v in values for v in order)
    if not whole or len(order) != len(regions):
        raise InputError(
            "its regions_class_order cannot be understood",
            where=str(file),
            expected=f"one label value for each of {', '.join(regions[:5])}",
            do="correct it as nnU-Net's page on regions describes",
        )


def _is_first_version(file: Path, training: list[Any]) -> bool:
    """Whether names are listed as nnU-Net v1 does: the files have the channel's number as well."""
    names = [row.get("image") for row in training if isinstance(row, dict)]
    paths = [file.parent / name for name in names if isinstance(name, str)]
    return bool(paths) and all(
        not path.exists() and path.with_name(f"{stem(path)}_0000{NIFTI.endings[0]}").exists()
        for path in paths
    )


def _label(key: str, value: Any) -> tuple[str, int | list[int]]:
    """nnU-Net has values by name, the decathlon names by value."""
    if isinstance(value, list):
        return key, [int(v) for v in value]
    return (value, int(key)) if isinstance(value, str) and key.isdigit() else (key, int(value))


def _facts(path: Path) -> tuple[Path, dict[str, Any]]:
    file = path / FILE if path.is_dir() else path
    try:
        facts = parse_json(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(
            "the file cannot be read", where=str(file), expected="a complete JSON file"
        ) from error
    if not isinstance(facts, dict):
        raise InputError("this describes no data set", where=str(file), expected="a JSON object")
    return file, facts


def _listed(file: Path, training: list[Any], absent: Absent) -> Iterator[Entry]:
    for number, row in enumerate(training, start=1):
        row = row if isinstance(row, dict) else {"image": row}
        image = _existing(file, row.get("image"), number, absent)
        labels = _existing(file, row["label"], number, absent) if row.get("label") else None
        yield Entry(image, labels, subject_of(stem(image)), "train")


def _numbered(file: Path, facts: dict[str, Any], absent: Absent) -> Iterator[Entry]:
    """nnU-Net's cases: as the table ``dataset`` has them, else by the names of the files."""
    table = facts.get("dataset")
    cases = (
        _tabled(file, table, absent)
        if isinstance(table, dict)
        else _named(file.parent, str(facts["file_ending"]))
    )
    for case, (image, *others), labels in cases:
        yield Entry(image, labels, subject_of(case), "train", channels=tuple(others), called=case)


def _tabled(file: Path, table: dict[str, Any], absent: Absent) -> Iterator[_Row]:
    try:
        rows = [(case, [*row["images"]], row["label"]) for case, row in sorted(table.items())]
    except (KeyError, TypeError) as error:
        raise _broken(file) from error
    for number, (case, images, labels) in enumerate(rows, start=1):
        if not images:
            raise _broken(file)
        found = [_existing(file, image, number, absent) for image in images]
        yield case, found, _existing(file, labels, number, absent) if labels else None


def _named(home: Path, ending: str) -> Iterator[_Row]:
    for case, images in sorted(_channels(home / "imagesTr", ending).items()):
        labels = home / "labelsTr" / f"{case}{ending}"
        yield case, images, labels if labels.is_file() else None


def _channels(folder: Path, ending: str) -> dict[str, list[Path]]:
    found: dict[str, list[Path]] = defaultdict(list)
    for path in sorted(folder.glob(f"*{ending}")):
        match = _CHANNEL.fullmatch(path.name.removesuffix(ending))
        if match and not path.name.startswith("."):
            found[match[1]].append(path)
    return found


def _existing(file: Path, name: Any, number: int, absent: Absent) -> Path:
    path = file.parent / str(name or "")
    if not name or (absent == "refuse" and not path.is_file()):
        raise InputError(
            f"no such file {name}" if name else "no image",
            where=f"{file} case {number}",
            expected="a path from the file on",
        )
    return path


def _broken(file: Path) -> InputError:
    return InputError(
        "its table of cases cannot be understood",
        where=str(file),
        expected='such as {"case": {"images": [FILE], "label": FILE}}',
    )
