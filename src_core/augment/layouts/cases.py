"""``cases/NAME/`` with everything ``drdm generate`` writes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from src_core.augment.layouts.layout import Member
from src_core.augment.layouts.style import Style
from src_core.generation import Result, save_result
from src_core.io import volume_file
from src_core.io.case_files import PARTS

__all__ = ["Cases"]


class Cases:
    """One folder a case."""

    what = PARTS

    def files(self, name: str, labelled: bool, style: Style) -> dict[str, str]:
        """Image and labels."""
        kinds = ("image", "labels") if labelled else ("image",)
        return {kind: f"cases/{name}/{volume_file(kind)}" for kind in kinds}

    def write(self, result: Result, out: Path, name: str, style: Style) -> list[Path]:
        """Write a case's folder; one from which files were removed is written again."""
        home = out / "cases" / name
        save_result(result, home, overwrite=True, field_format=style.field_format)
        return [path for path in home.iterdir() if path.is_file()]

    def close(self, out: Path, members: Sequence[Member], style: Style) -> None:
        """Nothing to write: the index describes the data set."""
