"""Filling a bank: deformations of every case of a data set, one small file a case."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save

from src_core.augment.levels import draw
from src_core.augment.plan import names_of
from src_core.augment.population import Population
from src_core.augment.spreads import parse_spreads
from src_core.cases.case import Case
from src_core.datasets.entry import Entry
from src_core.datasets.reading import read_dataset
from src_core.errors import DRDMError, InputError
from src_core.io import open_atomically, read_case
from src_core.io.folder import make_folder
from src_core.io.formats import is_picture
from src_core.steering.targets import Target, parse_target
from src_core.transforms.bank_files import SUFFIX, opened
from src_core.transforms.live import Live
from src_core.transforms.scan import Scan

__all__ = ["Stored", "make_bank"]


@dataclass(frozen=True)
class Stored:
    """A case of a bank: made now, kept from before, or failed, and why."""

    name: str
    state: Literal["made", "kept", "failed"]
    message: str = ""


def make_bank(
    cases: str | Path | Mapping[str, Case],
    out: str | Path,
    live: Live,
    *,
    per_case: int = 8,
    seed: int = 1,
    spread: Sequence[str] = (),
    like: str | Path | None = None,
) -> Iterator[Stored]:
    """Fill a folder with deformations of every case, one after the other; existing files are kept.

    Args:
        cases: a data set (a folder or CSV, as ``drdm augment`` reads it), or cases by name.
        out: a folder; one file appears for each case, whole or not at all.
        live: model, levels and the rest.
        per_case: deformations of each.
        seed: of the draws.
        spread: measures of labels to draw, such as ``volume 3: 60..220 ml``, as for ``drdm
            augment``; with these, ``like`` or targets of ``live``, cases need labels.
        like: a labelled data set whose sizes of labels and walls new anatomies follow.

    Raises:
        InputError: the data set cannot be read, or the folder cannot be written.
    """
    if per_case < 1:
        raise InputError(f"{per_case} is not possible", where="per_case", expected="1 or more")
    folder = Path(out)
    make_folder(folder)
    named: list[tuple[str, Case | Entry]]
    named = [*(cases.items() if isinstance(cases, Mapping) else _entries(Path(cases)))]
    spreads = parse_spreads(spread)
    population = Population.of(
        folder,
        live.loaded().spec.ndim,
        seed=seed,
        spreads=spreads,
        like=None if like is None else Path(like),
        fixed=tuple(map(parse_target, live.targets)),
    )
    if population is not None and population.cohort is not None:
        population = population.balanced(population.shapes(_whole(case)) for _, case in named)
    asked = _Asked(live, per_case, seed, population, None if like is None else str(like))
    return (_store(name, case, folder, asked) for name, case in named)


@dataclass(frozen=True, eq=False)
class _Asked:
    """What is made of every case."""

    live: Live
    per_case: int
    seed: int
    population: Population | None
    like: str | None

    @property
    def labelled(self) -> bool:
        """Whether targets may need labels."""
        return self.population is not None or bool(self.live.targets)

    def facts(self) -> str:
        """All that decides the deformations, as a file keeps it."""
        live = self.live
        found = {**asdict(live), "model": live.loaded().sha256, "per_case": self.per_case}
        found["seed"] = self.seed
        del found["device"]
        for later in ("condition", "variety", "targets"):  # earlier banks have none of these
            if not found[later] and found[later] != 0:
                del found[later]
        if self.population is not None:
            found["spread"] = [str(spread) for spread in self.population.spreads]
            found["like"] = self.like
        return json.dumps(found)


def _entries(dataset: Path) -> Iterable[tuple[str, Entry]]:
    entries = read_dataset(dataset)
    return zip(names_of(entries), entries, strict=True)


def _store(name: str, case: Case | Entry, folder: Path, asked: _Asked) -> Stored:
    path = folder / f"{name}{SUFFIX}"
    facts = asked.facts()
    if path.exists():
        if _facts_of(path) == facts:
            return Stored(name, "kept")
        raise InputError(
            "this file was made with other options",
            where=str(path),
            expected="the same model, levels, options, seed and number",
            do="choose another folder",
        )
    try:
        tensors = _tensors(_whole(case, asked.labelled), name, asked)
    except DRDMError as error:
        return Stored(name, "failed", str(error))
    with open_atomically(path) as file:
        file.write(save(tensors, {"bank": facts}))
    return Stored(name, "made")


def _whole(case: Case | Entry, labelled: bool = True) -> Case:
    """A case as it is given, or as it is read, with or without its labels."""
    if isinstance(case, Case):
        return case
    labels = case.labels if labelled else None
    return read_case(case.image, labels, 1.0 if is_picture(case.image) else None)


def _tensors(case: Case, name: str, asked: _Asked) -> dict[str, NDArray[Any]]:
    labels = case.label_map if asked.labelled else None
    scan = Scan(
        _first_frame(case.image),
        case.grid,
        name,
        None if labels is None else _first_frame(labels),
    )
    made = [_made(scan, case, index, asked) for index in range(1, asked.per_case + 1)]
    whole = {key: np.asarray(made[0][key]) for key in ("shape", "affine", "axis", "size")}
    each = {key: np.stack([one[key] for one in made]) for key in ("u", "level", "seed")}
    return {**whole, **each}


def _first_frame(values: NDArray[Any]) -> NDArray[Any]:
    return values[..., 0] if values.ndim == 4 else values


def _made(scan: Scan, case: Case, index: int, asked: _Asked) -> dict[str, Any]:
    """One deformation, with the targets that are drawn for it."""
    level, seed = draw(asked.seed, scan.name, index, asked.live.levels)
    targets: tuple[Target, ...] = ()
    if asked.population is not None:
        now = asked.population.shapes(case)
        targets = asked.population.draw(now, scan.name, index).targets
    return asked.live.make(scan, level, seed, targets).as_dict()


def _facts_of(path: Path) -> str:
    with opened(path) as file:
        return str((file.metadata() or {}).get("bank", ""))
