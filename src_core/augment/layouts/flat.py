"""``images/NAME.nii.gz`` and ``labels/NAME.nii.gz``, as a training reads them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from src_core.augment.layouts.layout import Member, publish, write_beside
from src_core.augment.layouts.style import Style
from src_core.generation import Result
from src_core.io import volume_file, write_image
from src_core.io.case_files import input_volumes

__all__ = ["Flat"]


class Flat:
    """Further channels lie in ``images-2/`` and so on."""

    what = ("image", "labels", "displacement")

    def files(self, name: str, labelled: bool, style: Style) -> dict[str, str]:
        """Image and labels."""
        labels = {"labels": f"labels/{volume_file(name)}"} if labelled else {}
        return {"image": f"images/{volume_file(name)}", **labels}

    def write(self, result: Result, out: Path, name: str, style: Style) -> list[Path]:
        """Write a case's files, all or none, and return them."""

        def fill(place: Path) -> None:
            write_beside(result, place, name, style)
            for key, volume in input_volumes(result.case).items():
                kind, dash, number = key.partition("-")
                home = place / f"{kind.rstrip('s')}s{dash}{number}"
                home.mkdir()
                write_image(home / volume_file(name), volume.data, volume, result.case.grid)

        return publish(out, name, fill)

    def close(self, out: Path, members: Sequence[Member], style: Style) -> None:
        """Nothing to write: the index describes the data set."""
