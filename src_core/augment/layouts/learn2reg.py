"""``learn2reg/``: pairs as the challenge Learn2Reg has them, with ``dataset.json``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from src_core.augment.layouts.layout import Member, described, publish, write_recipe
from src_core.augment.layouts.pairs import PAIR_PARTS, volume_names, write_fields
from src_core.augment.layouts.style import Style
from src_core.errors import InputError, OptionName, Phrase
from src_core.generation.pairs import FIELDS, Pair, volumes_of
from src_core.io import field_file, volume_file, write_image
from src_core.io.case_files import write_json

__all__ = ["Learn2Reg"]

_NUMBERS = {"fixed": "0000", "moving": "0001"}


class Learn2Reg:
    """``imagesTr/NAME_0000.nii.gz`` is fixed, ``NAME_0001.nii.gz`` moving; ``labelsTr/`` alike."""

    what = PAIR_PARTS

    def files(self, name: str, labelled: bool, style: Style) -> dict[str, str]:
        """Images, labels and fields."""
        fields = {kind: f"{kind}/{field_file(name, style.field_format)}" for kind in FIELDS}
        return {**_volumes(name, labelled), **fields}

    def write(self, result: Pair, out: Path, name: str, style: Style) -> list[Path]:
        """Write a pair's files, all or none, and return them.

        Raises:
            InputError: it has more than one image or label map, or they are of a cine.
        """
        volumes = volumes_of(result)
        known = _volumes(name, "fixed-labels" in volumes)
        if volumes.keys() != known.keys() or any(v.data.ndim != 3 for v, _ in volumes.values()):
            raise InputError(
                "Learn2Reg takes one image and one label map a case, and no cine",
                where=str(result.source.images[0].path or result.source.name),
                do=Phrase("leave it out, or choose ", OptionName("formats", "nifti")),
            )

        def fill(place: Path) -> None:
            write_recipe(result, place, name)
            write_fields(result, place, name, style)
            for kind, (volume, grid) in volumes.items():
                file = place / known[kind]
                file.parent.mkdir(parents=True, exist_ok=True)
                write_image(file, volume.data, volume, grid)

        return publish(out, name, fill)

    def close(self, out: Path, members: Sequence[Member], style: Style) -> None:
        """Write ``dataset.json``."""
        provided = ["image", "label"] if any(m.labelled for m in members) else ["image"]
        others = style.catalogue.others
        values = {str(v): n for n, v in style.catalogue.labels.items() if isinstance(v, int)}
        facts = {
            "name": style.title,
            **described({k: v for k, v in others.items() if k != "regions_class_order"}),
            "pairings": "paired",
            "provided_data": {"0": provided},
            "registration_direction": {"fixed": 0, "moving": 1},
            "modality": {"0": style.catalogue.channels[0], "1": style.catalogue.channels[0]},
            "labels": {"0": values},
            "tensorImageSize": "3D",
            "numTraining": 2 * len(members),
            "numPairedTraining": len(members),
            "numTest": 0,
            "training": [_row(m, side) for m in members for side in _NUMBERS],
            "training_paired_images": [
                {side: f"./{_file(m.name, side)}" for side in _NUMBERS} for m in members
            ],
            "test": [],
        }
        home = out / "learn2reg"
        home.mkdir(parents=True, exist_ok=True)
        write_json(home / "dataset.json", facts)


def _volumes(name: str, labelled: bool) -> dict[str, str]:
    return {kind: f"learn2reg/{_file(name, kind)}" for kind in volume_names(labelled)}


def _file(name: str, kind: str) -> str:
    number = _NUMBERS[kind.removesuffix("-labels")]
    folder = "labelsTr" if kind.endswith("-labels") else "imagesTr"
    return f"{folder}/{volume_file(f'{name}_{number}')}"


def _row(member: Member, side: str) -> dict[str, str]:
    row = {"image": f"./{_file(member.name, side)}"}
    return row | ({"label": f"./{_file(member.name, f'{side}-labels')}"} if member.labelled else {})
