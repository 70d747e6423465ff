"""What a layout is, and how its files appear: written in a hidden folder, then moved in."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

from src_core.augment.layouts.style import Style
from src_core.cases.synthetic import SYNTHETIC, synthetic_note
from src_core.errors import InputError, OptionName, Phrase
from src_core.generation import Result
from src_core.generation.pairs import Pair
from src_core.io import field_file, write_field
from src_core.io.atomic import partial_name
from src_core.io.case_files import write_json
from src_core.io.formats import point_ending_of
from src_core.io.points import write_points

__all__ = [
    "Layout",
    "Member",
    "described",
    "publish",
    "remove_partial",
    "write_beside",
    "write_recipe",
]

_Generated = TypeVar("_Generated", Result, Pair, contravariant=True)


@dataclass(frozen=True)
class Member:
    """A new case of a finished data set; ``index`` is 0 for the source itself."""

    name: str
    subject: str
    index: int
    labelled: bool


class Layout(Protocol[_Generated]):
    """A way to lay out new cases, or pairs, under a folder."""

    @property
    def what(self) -> tuple[str, ...]:
        """Parts of a result that it writes, in the words of ``save_result``, one for each file."""
        ...

    def files(self, name: str, labelled: bool, style: Style) -> dict[str, str]:
        """A case's files by the columns of the index, relative to the run's folder."""
        ...

    def write(self, result: _Generated, out: Path, name: str, style: Style) -> list[Path]:
        """Write a case's files, all or none, and return them."""
        ...

    def close(self, out: Path, members: Sequence[Member], style: Style) -> None:
        """Write the description of the data set, where the layout has one."""
        ...


def publish(out: Path, name: str, fill: Callable[[Path], None], last: str = "images") -> list[Path]:
    """Let ``fill`` write files under a folder, then move each to its place under ``out``.

    Folders whose name begins with ``last`` come last: once an image is there, so are its labels,
    field and recipe. A failure takes back what has moved.

    Raises:
        InputError: the folder cannot be written.
    """
    partial, moved = out / partial_name(name), list[Path]()
    try:
        partial.mkdir(parents=True)
        fill(partial)
        files = [path.relative_to(partial) for path in partial.rglob("*") if path.is_file()]
        for file in sorted(files, key=lambda f: (f.parent.name.startswith(last), str(f))):
            (out / file).parent.mkdir(parents=True, exist_ok=True)
            os.replace(partial / file, out / file)
            moved.append(out / file)
    except BaseException as error:
        for path in moved:
            with suppress(OSError):
                path.unlink()
        if isinstance(error, OSError):
            raise unwritable(out, error) from error
        raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return moved


def write_beside(result: Result, place: Path, name: str, style: Style) -> None:
    """Field, recipe and metrics, in folders of their own."""
    (place / "fields").mkdir()
    field = place / "fields" / field_file(name, style.field_format)
    grid, u = result.case.grid, result.displacement
    write_field(field, u, grid, style.field_format, synthetic_note())
    write_recipe(result, place, name)


def write_recipe(product: Result | Pair, place: Path, name: str) -> None:
    """Recipe, metrics and points, in folders of their own: ``fixed-points/NAME.csv``."""
    for folder, values in (("recipes", product.recipe), ("metrics", product.metrics)):
        (place / folder).mkdir()
        write_json(place / folder / f"{name}.json", values)
    for file, points in product.points.items():
        ending = point_ending_of(file)
        home = place / file.removesuffix(ending)
        home.mkdir()
        write_points(home / f"{name}{ending}", points)


def described(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Facts of a data set, with the notice at the head of its description."""
    earlier = str(facts.get("description", ""))
    words = synthetic_note() if not earlier else f"{synthetic_note()}. {earlier}"
    return {**facts, "description": earlier if earlier.startswith(SYNTHETIC) else words}


def remove_partial(out: Path) -> None:
    """Remove the unfinished files of a run that was killed."""
    for home in (out, out / "cases", out / "pairs"):
        for partial in home.glob(".*.partial"):
            if partial.is_dir():
                shutil.rmtree(partial, ignore_errors=True)
            else:
                partial.unlink(missing_ok=True)


def unwritable(out: Path, error: OSError) -> InputError:
    """The error of a disk that is full or cannot be written."""
    return InputError(
        f"the folder cannot be written ({error.strerror or error})",
        where=str(out),
        expected="a writable place with space",
        do=Phrase("free some space, then go on with ", OptionName("resume", True)),
    )
