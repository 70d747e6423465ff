"""Where the files of a new case go; each case appears whole or not at all.

``cases``: one folder a case, as ``drdm generate`` writes it. ``nifti``: ``images/`` and ``labels/``
with equal names, which a training reads as they are, and ``fields/``, ``recipes/``, ``metrics/``.
"""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from src_core.errors import InputError
from src_core.generation import Result, save_result
from src_core.generation.save import PARTS, save_files
from src_core.io import FieldFormat
from src_core.io.atomic import partial_name

__all__ = ["LAYOUTS", "Files", "Layout", "sweep"]


@dataclass(frozen=True)
class Files:
    """Files of one new case; ``labels`` is None where its source has none."""

    image: Path
    labels: Path | None
    metrics: Path
    recipe: Path

    def whole(self) -> bool:
        """Whether all are there."""
        named = (self.image, self.labels, self.metrics, self.recipe)
        return all(path.is_file() for path in named if path is not None)


class Layout(Protocol):
    """A way to lay out new cases under a folder."""

    @property
    def what(self) -> tuple[str, ...]:
        """Parts of a result that it writes, in the words of ``save_result``."""
        ...

    def files(self, out: Path, name: str, labelled: bool) -> Files:
        """Where a case's files are, once it is made."""
        ...

    def write(self, result: Result, out: Path, name: str, field_format: FieldFormat) -> None:
        """Write a case's files, all or none."""
        ...


class Cases:
    """``cases/NAME/`` with everything ``save_result`` writes."""

    what = PARTS

    def files(self, out: Path, name: str, labelled: bool) -> Files:
        """Where a case's files are, once it is made."""
        home = out / "cases" / name
        labels = home / "labels.nii.gz" if labelled else None
        return Files(home / "image.nii.gz", labels, home / "metrics.json", home / "recipe.json")

    def write(self, result: Result, out: Path, name: str, field_format: FieldFormat) -> None:
        """Write a case's folder; what a user took files out of is made again."""
        save_result(result, out / "cases" / name, overwrite=True, field_format=field_format)


class Flat:
    """``images/NAME.nii.gz``, ``labels/NAME.nii.gz``, and the rest in folders beside them."""

    what = ("image", "labels", "displacement")

    # The image comes last: who sees it finds its labels, field and recipe there.
    _homes = (
        ("recipe.json", "recipes", ".json"),
        ("metrics.json", "metrics", ".json"),
        ("displacement.nii.gz", "fields", ".nii.gz"),
        ("labels.nii.gz", "labels", ".nii.gz"),
        ("image.nii.gz", "images", ".nii.gz"),
    )

    def files(self, out: Path, name: str, labelled: bool) -> Files:
        """Where a case's files are, once it is made."""
        at = {file: out / home / f"{name}{ending}" for file, home, ending in self._homes}
        labels = at["labels.nii.gz"] if labelled else None
        return Files(at["image.nii.gz"], labels, at["metrics.json"], at["recipe.json"])

    def write(self, result: Result, out: Path, name: str, field_format: FieldFormat) -> None:
        """Write beside, then move in; a failure takes back what has moved."""
        partial, moved = out / partial_name(name), list[Path]()
        try:
            partial.mkdir(parents=True)
            save_files(result, partial, field_format, self.what)
            for file, home, ending in self._homes:
                if (partial / file).is_file():
                    target = out / home / f"{name}{ending}"
                    target.parent.mkdir(exist_ok=True)
                    os.replace(partial / file, target)
                    moved.append(target)
        except BaseException as error:
            for path in moved:
                with suppress(OSError):
                    path.unlink()
            if isinstance(error, OSError):
                raise _unwritable(out, error) from error
            raise
        finally:
            shutil.rmtree(partial, ignore_errors=True)


LAYOUTS: dict[str, Layout] = {"cases": Cases(), "nifti": Flat()}


def sweep(out: Path) -> None:
    """Remove what a run that was killed left unfinished."""
    for home in (out, out / "cases"):
        for partial in home.glob(".*.partial"):
            if partial.is_dir():
                shutil.rmtree(partial, ignore_errors=True)
            else:
                partial.unlink(missing_ok=True)


def _unwritable(out: Path, error: OSError) -> InputError:
    return InputError(
        f"the folder cannot be written ({error.strerror or error})",
        where=str(out),
        expected="a writable place with space",
        do="make room, then go on (--resume)",
    )
