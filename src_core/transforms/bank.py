"""A bank: deformations of every case of a data set, made once, one small file a case.

Deformation n of a case has the level and seed of the n-th new case of ``drdm augment``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from src_core.augment.levels import draw
from src_core.augment.plan import names_of
from src_core.case import Case
from src_core.dataset import read_dataset
from src_core.entry import Entry, real, stem
from src_core.errors import DRDMError, InputError
from src_core.io import open_atomically, read_case
from src_core.io.picture import is_picture
from src_core.transforms.deformation import Deformation
from src_core.transforms.live import Live
from src_core.transforms.scan import Below, Scan

__all__ = ["Bank", "Stored", "make_bank"]

_SUFFIX = ".safetensors"
_DEPTH = 8
_CHANNEL = re.compile(r"_\d{4}$")


@dataclass(frozen=True)
class Stored:
    """A case of a bank: made now, kept from before, or failed, and why."""

    name: str
    state: Literal["made", "kept", "failed"]
    message: str = ""


@dataclass(frozen=True)
class Bank:
    """Draws one of a case's deformations.

    A case is known by its name, or by its image's file. Holds its folder alone, so it travels to
    other processes; a draw reads one deformation.

    Attributes:
        folder: as ``make_bank`` filled it.
    """

    folder: Path

    def __post_init__(self) -> None:
        object.__setattr__(self, "folder", Path(self.folder))

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The cases.

        Raises:
            InputError: there are none.
        """
        found = tuple(sorted(p.name.removesuffix(_SUFFIX) for p in self.folder.glob(f"*{_SUFFIX}")))
        if not found:
            raise InputError(
                "no deformations here",
                where=str(self.folder),
                expected="a folder that make_bank filled",
            )
        return found

    @cached_property
    def _known(self) -> frozenset[str]:
        return frozenset(self.names)

    def __call__(self, scan: Scan, below: Below) -> Deformation:
        """One of the deformations of a scan's case, drawn by ``below``."""
        name = self.find(scan.name)
        return self.get(name, below(self.count(name)))

    def count(self, name: str) -> int:
        """How many deformations a case has."""
        with _opened(self.folder / f"{name}{_SUFFIX}") as file:
            return int(file.get_slice("u").get_shape()[0])

    def get(self, name: str, index: int) -> Deformation:
        """Deformation ``index``, from 0, of a case."""
        with _opened(self.folder / f"{name}{_SUFFIX}") as file:
            each = {key: file.get_slice(key)[index] for key in ("u", "level", "seed")}
            whole = {key: file.get_tensor(key) for key in ("shape", "affine", "axis", "size")}
        return Deformation.from_dict({**each, **whole})

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


def make_bank(
    cases: str | Path | Mapping[str, Case],
    out: str | Path,
    live: Live,
    *,
    per_case: int = 8,
    seed: int = 1,
) -> Iterator[Stored]:
    """Fill a folder with deformations of every case, as they come; what is there is kept.

    Args:
        cases: a data set (a folder or CSV, as ``drdm augment`` reads it), or cases by name.
        out: a folder; one file appears for each case, whole or not at all.
        live: model, levels and the rest.
        per_case: deformations of each.
        seed: of the draws.

    Raises:
        InputError: the data set cannot be read, or the folder cannot be written.
    """
    if per_case < 1:
        raise InputError(f"{per_case} is not possible", where="per_case", expected="1 up")
    folder = Path(out)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"the folder cannot be made ({error.strerror or error})", where=str(folder)
        ) from error
    named = cases.items() if isinstance(cases, Mapping) else _entries(Path(cases))
    return (_store(name, case, folder, live, per_case, seed) for name, case in named)


def _entries(dataset: Path) -> Iterable[tuple[str, Entry]]:
    entries = read_dataset(dataset)
    return zip(names_of(entries), entries, strict=True)


def _store(
    name: str, case: Case | Entry, folder: Path, live: Live, per_case: int, seed: int
) -> Stored:
    path = folder / f"{name}{_SUFFIX}"
    facts = _facts(live, per_case, seed)
    if path.exists():
        if _facts_of(path) == facts:
            return Stored(name, "kept")
        raise InputError(
            "this was made otherwise",
            where=str(path),
            expected="the same model, levels, options, seed and number",
            do="choose another folder",
        )
    try:
        read = case if isinstance(case, Case) else _read(case)
        tensors = _tensors(read, name, live, per_case, seed)
    except DRDMError as error:
        return Stored(name, "failed", str(error))
    with open_atomically(path) as file:
        file.write(save(tensors, {"bank": facts}))
    return Stored(name, "made")


def _read(entry: Entry) -> Case:
    return read_case(entry.image, None, 1.0 if is_picture(entry.image) else None)


def _tensors(
    case: Case, name: str, live: Live, per_case: int, seed: int
) -> dict[str, NDArray[Any]]:
    image = case.image[..., 0] if case.image.ndim == 4 else case.image
    scan = Scan(image, case.grid, name)
    draws = [draw(seed, name, index, live.levels) for index in range(1, per_case + 1)]
    made = [live.make(scan, *drawn).as_dict() for drawn in draws]
    whole = {key: np.asarray(made[0][key]) for key in ("shape", "affine", "axis", "size")}
    each = {key: np.stack([one[key] for one in made]) for key in ("u", "level", "seed")}
    return {**whole, **each}


def _facts(live: Live, per_case: int, seed: int) -> str:
    facts = {**asdict(live), "model": live.loaded().sha256, "per_case": per_case, "seed": seed}
    del facts["device"]
    return json.dumps(facts)


def _facts_of(path: Path) -> str:
    with _opened(path) as file:
        return str((file.metadata() or {}).get("bank", ""))


def _opened(path: Path) -> Any:
    try:
        return safe_open(path, framework="np")
    except (OSError, SafetensorError) as error:
        raise InputError(
            "these deformations cannot be read", where=str(path), do="delete it and make it again"
        ) from error


def _candidates(name: str) -> Iterator[str]:
    """A name itself; and, of a file, its name with ever fewer of the folders above it.

    A channel of nnU-Net's, ``case_0000.nii.gz``, is known by its case as well.
    """
    yield name
    given = Path(name)
    of_file = stem(given) != given.name
    for path in (given, real(given)) if of_file else (given,):
        above = path.parent.parts[1:] if path.is_absolute() else path.parent.parts
        for depth in reversed(range(min(len(above), _DEPTH) + 1)):
            whole = "-".join([*above[len(above) - depth :], stem(path)])
            yield from (whole, _CHANNEL.sub("", whole))
