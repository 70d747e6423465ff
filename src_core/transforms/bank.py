"""A bank: deformations of a data set's cases, generated in advance, to draw from in training.

``make_bank`` fills one, and a run of ``drdm augment`` is one: deformation n of a case has the level
and seed of the n-th new case.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from src_core.datasets.entry import real_path, stem
from src_core.errors import InputError
from src_core.transforms.bank_files import StoredDeformations, stored_in
from src_core.transforms.deformation import Deformation
from src_core.transforms.scan import Below, Scan

__all__ = ["Bank"]

_DEPTH = 8
_CHANNEL = re.compile(r"_\d{4}$")


@dataclass(frozen=True)
class Bank:
    """Draws one of a case's deformations.

    A case is known by its name, or by its image's file. It holds the folder's name alone, so it is
    easily sent to other processes; a draw reads one deformation.

    Attributes:
        folder: as ``make_bank`` or ``drdm augment`` filled it.
    """

    folder: Path

    def __post_init__(self) -> None:
        object.__setattr__(self, "folder", Path(self.folder))

    def __reduce__(self) -> tuple[Any, ...]:
        return Bank, (self.folder,)

    @cached_property
    def _stored(self) -> StoredDeformations:
        return stored_in(self.folder)

    @property
    def names(self) -> tuple[str, ...]:
        """The cases.

        Raises:
            InputError: there are none.
        """
        return self._stored.names

    @cached_property
    def _known(self) -> frozenset[str]:
        return frozenset(self.names)

    def __call__(self, scan: Scan, below: Below) -> Deformation:
        """One of the deformations of a scan's case, drawn by ``below``."""
        name = self.find(scan.name)
        return self.get(name, below(self.count(name)))

    def count(self, name: str) -> int:
        """How many deformations a case has."""
        return self._stored.count(name)

    def get(self, name: str, index: int) -> Deformation:
        """Deformation ``index``, from 0, of a case."""
        return self._stored.get(name, index)

    def find(self, name: str) -> str:
        """The case of a name or an image's path.

        Raises:
            InputError: there is none.
        """
        for candidate in _candidates(name):
            if candidate in self._known:
                return candidate
        some = ", ".join(self.names[:3]) + (", ..." if len(self.names) > 3 else "")
        raise InputError(
            f"no deformations of {name}" if name else "the image has no name",
            where=str(self.folder),
            expected=f"one of its cases: {some}",
            do="name the case by the key that holds it, or make a bank of this data set",
        )


def _candidates(name: str) -> Iterator[str]:
    """A name itself; and, of a file, its name with fewer and fewer of the folders above it.

    A channel of nnU-Net's, ``case_0000.nii.gz``, is known by its case as well.
    """
    yield name
    given = Path(name)
    of_file = stem(given) != given.name
    for path in (given, real_path(given)) if of_file else (given,):
        above = path.parent.parts[1:] if path.is_absolute() else path.parent.parts
        for depth in reversed(range(min(len(above), _DEPTH) + 1)):
            whole = "-".join([*above[len(above) - depth :], stem(path)])
            yield from (whole, _CHANNEL.sub("", whole))
