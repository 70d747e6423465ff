"""Pairs: a folder each, or a folder for each kind of file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from src_core.augment.layouts.layout import Member, publish, write_recipe
from src_core.augment.layouts.style import Style
from src_core.cases.synthetic import synthetic_note
from src_core.generation.pairs import FIELDS, Pair, save_pair, volumes_of
from src_core.io import field_file, volume_file, write_field, write_image

__all__ = ["PAIR_PARTS", "FlatPairs", "PairFolders", "volume_names", "write_fields"]

#: Parts of a result with the size of a pair's files, for estimates of disk space.
PAIR_PARTS = ("image", "image", "labels", "labels", *FIELDS)


class PairFolders:
    """``pairs/NAME/`` with ``moving``, ``fixed``, their labels, both fields, recipe, metrics."""

    what = PAIR_PARTS

    def files(self, name: str, labelled: bool, style: Style) -> dict[str, str]:
        """Images, labels and fields."""
        files = {kind: volume_file(kind) for kind in volume_names(labelled)}
        files |= {kind: field_file(kind, style.field_format) for kind in FIELDS}
        return {kind: f"pairs/{name}/{file}" for kind, file in files.items()}

    def write(self, result: Pair, out: Path, name: str, style: Style) -> list[Path]:
        """Write a pair's folder; one from which files were removed is written again."""
        home = out / "pairs" / name
        save_pair(result, home, overwrite=True, field_format=style.field_format)
        return [path for path in home.iterdir() if path.is_file()]

    def close(self, out: Path, members: Sequence[Member], style: Style) -> None:
        """Nothing to write: the index describes the data set."""


class FlatPairs:
    """``moving/NAME.nii.gz``, ``fixed/NAME.nii.gz`` and so on; ``moving-2/`` for more channels."""

    what = PAIR_PARTS

    def files(self, name: str, labelled: bool, style: Style) -> dict[str, str]:
        """Images, labels and fields."""
        files = {kind: f"{kind}/{volume_file(name)}" for kind in volume_names(labelled)}
        fields = {kind: f"{kind}/{field_file(name, style.field_format)}" for kind in FIELDS}
        return {**files, **fields}

    def write(self, result: Pair, out: Path, name: str, style: Style) -> list[Path]:
        """Write a pair's files, all or none, and return them."""

        def fill(place: Path) -> None:
            write_recipe(result, place, name)
            write_fields(result, place, name, style)
            for kind, (volume, grid) in volumes_of(result).items():
                (place / kind).mkdir()
                write_image(place / kind / volume_file(name), volume.data, volume, grid)

        return publish(out, name, fill, last="fixed")

    def close(self, out: Path, members: Sequence[Member], style: Style) -> None:
        """Nothing to write: the index describes the data set."""


def volume_names(labelled: bool) -> tuple[str, ...]:
    """Of a pair's first images, and of their labels."""
    return ("moving", "fixed", *(("moving-labels", "fixed-labels") if labelled else ()))


def write_fields(pair: Pair, place: Path, name: str, style: Style) -> None:
    """Both fields, each in a folder of its own."""
    for kind in FIELDS:
        (place / kind).mkdir()
        file = place / kind / field_file(name, style.field_format)
        field, grid = getattr(pair, kind), pair.source.grid
        write_field(file, field, grid, style.field_format, synthetic_note())
