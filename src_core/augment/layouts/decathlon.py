"""``decathlon/``: images and labels as the Medical Segmentation Decathlon has them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from src_core.augment.layouts.layout import Member, described, publish, write_beside
from src_core.augment.layouts.style import Style, values_of
from src_core.cases.case import Case
from src_core.cases.header import header_for
from src_core.cases.synthetic import describe_header, description_of
from src_core.cases.volume import Image
from src_core.errors import InputError
from src_core.generation import Result
from src_core.io import volume_file, write_image
from src_core.io.case_files import write_json

__all__ = ["Decathlon"]


class Decathlon:
    """``imagesTr/``, ``labelsTr/`` with equal names, channels along the fourth axis."""

    what = ("image", "labels", "displacement")

    def files(self, name: str, labelled: bool, style: Style) -> dict[str, str]:
        """Image and labels."""
        labels = {"labels": f"decathlon/labelsTr/{volume_file(name)}"} if labelled else {}
        return {"image": f"decathlon/imagesTr/{volume_file(name)}", **labels}

    def write(self, result: Result, out: Path, name: str, style: Style) -> list[Path]:
        """Write a case's files, all or none, and return them."""
        case = result.case
        image = _joined(case)

        def fill(place: Path) -> None:
            write_beside(result, place, name, style)
            named: dict[str, Any] = {"imagesTr": image}
            named |= {"labelsTr": case.labels[0]} if case.labels else {}
            for folder, volume in named.items():
                home = place / "decathlon" / folder
                home.mkdir(parents=True)
                write_image(home / volume_file(name), volume.data, volume, case.grid)

        return publish(out, name, fill)

    def close(self, out: Path, members: Sequence[Member], style: Style) -> None:
        """Write ``dataset.json``."""
        catalogue = style.catalogue
        others = {k: v for k, v in catalogue.others.items() if k != "regions_class_order"}
        single = {v: name for name, v in catalogue.labels.items() if isinstance(v, int)}
        values = values_of(catalogue.labels)
        facts = {
            "name": style.title,
            **described(others),
            "tensorImageSize": "4D" if len(catalogue.channels) > 1 else "3D",
            "modality": {str(i): name for i, name in enumerate(catalogue.channels)},
            "labels": {str(v): single.get(v, f"label_{v}") for v in values},
            "numTraining": len(members),
            "numTest": 0,
            "training": [_row(member) for member in members],
            "test": [],
        }
        home = out / "decathlon"
        home.mkdir(parents=True, exist_ok=True)
        write_json(home / "dataset.json", facts)


def _row(member: Member) -> dict[str, str]:
    row = {"image": f"./imagesTr/{volume_file(member.name)}"}
    return row | ({"label": f"./labelsTr/{volume_file(member.name)}"} if member.labelled else {})


def _joined(case: Case) -> Image:
    """All channels as one image: stored values where they are stored alike, else physical ones."""
    if len(case.images) == 1:
        return case.images[0]
    if any(image.data.ndim != 3 for image in case.images):
        raise InputError(
            "several channels of cines cannot be one file",
            where=str(case.images[0].path or case.name),
            expected="one volume a channel",
        )
    first = case.images[0]
    alike = all((i.data.dtype, i.scaling) == (first.data.dtype, first.scaling) for i in case.images)
    data = np.stack([i.data if alike else _physical(i) for i in case.images], axis=-1)
    header = header_for(case.grid, data.dtype, data.shape)
    describe_header(header, description_of(first.header))
    if alike:
        header["scl_slope"], header["scl_inter"] = first.scaling
    return Image(data, header)


def _physical(image: Image) -> NDArray[np.float32]:
    slope, intercept = image.scaling
    return (image.data * slope + intercept).astype(np.float32)
