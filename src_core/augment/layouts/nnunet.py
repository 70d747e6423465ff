"""``nnunet/Dataset500_NAME``: an nnU-Net v2 raw data set, and folds that keep subjects apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from src_core.augment.layouts.layout import Member, described, publish, write_beside
from src_core.augment.layouts.style import Style
from src_core.cases.case import Case
from src_core.cases.volume import Image
from src_core.errors import InputError, OptionName, Phrase
from src_core.generation import Result
from src_core.io import write_image
from src_core.io.case_files import write_json
from src_core.io.formats import is_picture

__all__ = ["NnUNet", "folds"]

_FOLDS = 5
_ORDER = "regions_class_order"


class NnUNet:
    """``imagesTr/NAME_0000.nii.gz`` for each channel, ``labelsTr/NAME.nii.gz``, dataset.json."""

    what = ("image", "labels", "displacement")

    def files(self, name: str, labelled: bool, style: Style) -> dict[str, str]:
        """Image of the first channel, and labels."""
        home = _home(Path(), style).as_posix()
        labels = {"labels": f"{home}/labelsTr/{name}{style.ending}"} if labelled else {}
        return {"image": f"{home}/imagesTr/{name}_0000{style.ending}", **labels}

    def write(self, result: Result, out: Path, name: str, style: Style) -> list[Path]:
        """Write a case's files, all or none, and return them.

        Raises:
            InputError: it has no labels, values without a name, or not the channels it should.
        """
        case = result.case
        channels = split_channels(case, len(style.catalogue.channels))
        labels = recode(case, style.codes)

        def fill(place: Path) -> None:
            write_beside(result, place, name, style)
            home = _home(place, style)
            for folder in ("imagesTr", "labelsTr"):
                (home / folder).mkdir(parents=True)
            target = home / "labelsTr" / f"{name}{style.ending}"
            grid = None if is_picture(target) else case.grid
            write_image(target, labels, case.labels[0], grid)
            for number, (volume, data) in enumerate(channels):
                file = home / "imagesTr" / f"{name}_{number:04d}{style.ending}"
                write_image(file, data, volume, grid)

        return publish(out, name, fill)

    def close(self, out: Path, members: Sequence[Member], style: Style) -> None:
        """Write ``dataset.json``, and ``splits_final.json`` for nnU-Net's preprocessed folder."""
        catalogue, home = style.catalogue, _home(out, style)
        others = dict(catalogue.others)
        if order := others.get(_ORDER):
            others[_ORDER] = [style.codes[value] for value in order]
        facts = {
            "name": home.name,
            "channel_names": {str(i): name for i, name in enumerate(catalogue.channels)},
            "labels": _coded(catalogue.labels, style.codes),
            "numTraining": len(members),
            "file_ending": style.ending,
            **described(others),
        }
        home.mkdir(parents=True, exist_ok=True)
        write_json(home / "dataset.json", facts)
        if made := folds(members):
            write_json(home / "splits_final.json", made)


def folds(members: Sequence[Member]) -> list[dict[str, list[str]]]:
    """Up to five folds; a subject is in one, and only sources are validated on if there are any."""
    subjects = sorted({member.subject for member in members})
    count = min(_FOLDS, len(subjects))
    place = {subject: number % max(count, 1) for number, subject in enumerate(subjects)}
    tested = [m for m in members if m.index == 0] or members
    return [
        {
            "train": [m.name for m in members if place[m.subject] != fold],
            "val": [m.name for m in tested if place[m.subject] == fold],
        }
        for fold in range(count if count > 1 else 0)
    ]


def split_channels(case: Case, count: int) -> list[tuple[Image, NDArray[Any]]]:
    """``count`` channels (X, Y, Z), each with the image whose header it has.

    Raises:
        InputError: there are more or fewer.
    """
    found = [
        (image, image.data[..., t] if image.data.ndim == 4 else image.data)
        for image in case.images
        for t in range(image.frames)
    ]
    if len(found) != count:
        raise InputError(
            f"there are {len(found)} channels or frames",
            where=str(case.images[0].path or case.name),
            expected=f"{count}, as dataset.json says" if count > 1 else "one volume, no cine",
        )
    return found


def recode(case: Case, codes: Mapping[int, int]) -> NDArray[Any]:
    """The first label map, (X, Y, Z), its values replaced by their codes.

    Raises:
        InputError: there is none, it is a cine's, or it has other values.
    """
    labels = case.label_map
    if labels is None or labels.ndim != 3:
        raise InputError(
            "nnU-Net takes labelled cases" if labels is None else "the labels are of a cine",
            where=str(case.images[0].path or case.name),
            expected="one label map of one volume",
            do=Phrase("leave it out, or choose ", OptionName("formats", "nifti")),
        )
    values, places = np.unique(labels, return_inverse=True)
    if unknown := [int(v) for v in values if int(v) not in codes]:
        raise InputError(
            f"label values {', '.join(map(str, unknown[:5]))} have no name",
            where=str(case.labels[0].path or case.name),
            expected=f"of {', '.join(map(str, codes))}, as dataset.json says",
        )
    coded = np.array([codes[int(v)] for v in values], dtype=labels.dtype)
    return coded[places].reshape(labels.shape)


def _home(out: Path, style: Style) -> Path:
    return out / "nnunet" / f"Dataset{style.number:03d}_{style.title}"


def _coded(
    labels: Mapping[str, int | list[int]], codes: Mapping[int, int]
) -> dict[str, int | list[int]]:
    return {
        name: [codes[v] for v in value] if isinstance(value, list) else codes[value]
        for name, value in labels.items()
    }
