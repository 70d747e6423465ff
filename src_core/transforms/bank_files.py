"""The files of a bank: those that ``make_bank`` wrote, or the fields of a run of augment."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Protocol

from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from src_core.augment.manifest import lines
from src_core.augment.run_folder import MANIFEST
from src_core.errors import CommandName, InputError, Phrase
from src_core.io import read_field
from src_core.transforms.deformation import Deformation

__all__ = ["SUFFIX", "AugmentRun", "BankFiles", "StoredDeformations", "opened", "stored_in"]

SUFFIX = ".safetensors"
#: What a file holds beside its displacements: of each deformation, and of the case.
_EACH, _WHOLE = ("level", "seed"), ("shape", "affine", "axis", "size")
_FIELD = re.compile(r"fields/[^/]+|cases/[^/]+/displacement\.[^/]+")


class StoredDeformations(Protocol):
    """Deformations by case and number."""

    @property
    def names(self) -> tuple[str, ...]:
        """The cases, sorted."""
        ...

    def count(self, name: str) -> int:
        """How many deformations a case has."""
        ...

    def get(self, name: str, index: int) -> Deformation:
        """Deformation ``index``, from 0, of a case."""
        ...


class BankFiles:
    """A file for each case, mapped into memory; a draw reads the pages of one deformation."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        files = folder.glob(f"*{SUFFIX}")
        self.names = tuple(sorted(path.name.removesuffix(SUFFIX) for path in files))
        self._facts: dict[str, dict[str, NDArray[Any]]] = {}

    def count(self, name: str) -> int:
        """How many deformations a case has."""
        return len(self._small(name)["level"])

    def get(self, name: str, index: int) -> Deformation:
        """Deformation ``index``, from 0, of a case."""
        facts = self._small(name)
        with opened(self._folder / f"{name}{SUFFIX}") as file:
            u = file.get_slice("u")[index]
        each = {key: facts[key][index] for key in _EACH}
        return Deformation.from_dict({**facts, **each, "u": u})

    def _small(self, name: str) -> dict[str, NDArray[Any]]:
        """All of a case but the displacements; read once."""
        if name not in self._facts:
            with opened(self._folder / f"{name}{SUFFIX}") as file:
                self._facts[name] = {key: file.get_tensor(key) for key in (*_EACH, *_WHOLE)}
        return self._facts[name]


class AugmentRun:
    """The fields that ``drdm augment`` wrote beside its new cases, in any layout."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        found: dict[str, dict[int, tuple[str, int, int]]] = {}
        for line in lines(folder):
            if "pose" in line.get("recipe", {}).get("drawn", {}):
                raise InputError(
                    "the fields of this run hold a pose",
                    where=str(folder),
                    expected="a run without one",
                    do="give the pose to the transform instead, which then draws a new one each "
                    "time",
                )
            field = next(filter(_FIELD.fullmatch, line["files"]), None)
            if field and line["index"]:
                metrics = line["metrics"]
                stored = (field, int(metrics["level"]), int(metrics["seed"]))
                found.setdefault(line["case"], {})[line["index"]] = stored
        self._found = {name: [each[i] for i in sorted(each)] for name, each in found.items()}
        self.names = tuple(sorted(found))

    def count(self, name: str) -> int:
        """How many deformations a case has."""
        return len(self._found[name])

    def get(self, name: str, index: int) -> Deformation:
        """Deformation ``index``, from 0, of a case."""
        file, level, seed = self._found[name][index]
        return Deformation.of_field(*read_field(self._folder / file), level, seed)


def stored_in(folder: Path) -> StoredDeformations:
    """The deformations in a folder.

    Raises:
        InputError: there are no deformations.
    """
    found: StoredDeformations = (
        AugmentRun(folder) if (folder / MANIFEST).is_file() else BankFiles(folder)
    )
    if not found.names:
        raise InputError(
            "there are no deformations in this folder",
            where=str(folder),
            expected=Phrase("a folder that make_bank or ", CommandName("augment"), " filled"),
        )
    return found


def opened(path: Path) -> Any:
    """A case's file, to read from."""
    try:
        return safe_open(path, framework="np")
    except (OSError, SafetensorError) as error:
        raise InputError(
            "these deformations cannot be read", where=str(path), do="delete it and make it again"
        ) from error
