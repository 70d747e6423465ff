"""Filling a bank: deformations of every case of a data set, one small file a case."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save

from src_core.augment.levels import draw
from src_core.augment.plan import names_of
from src_core.cases.case import Case
from src_core.datasets.entry import Entry
from src_core.datasets.reading import read_dataset
from src_core.errors import DRDMError, InputError
from src_core.io import open_atomically, read_case
from src_core.io.folder import make_folder
from src_core.io.formats import is_picture
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
) -> Iterator[Stored]:
    """Fill a folder with deformations of every case, one after the other; existing files are kept.

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
        raise InputError(f"{per_case} is not possible", where="per_case", expected="1 or more")
    folder = Path(out)
    make_folder(folder)
    named = cases.items() if isinstance(cases, Mapping) else _entries(Path(cases))
    return (_store(name, case, folder, live, per_case, seed) for name, case in named)


def _entries(dataset: Path) -> Iterable[tuple[str, Entry]]:
    entries = read_dataset(dataset)
    return zip(names_of(entries), entries, strict=True)


def _store(
    name: str, case: Case | Entry, folder: Path, live: Live, per_case: int, seed: int
) -> Stored:
    path = folder / f"{name}{SUFFIX}"
    facts = _facts(live, per_case, seed)
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
    for later in ("condition", "variety"):  # banks of before there were such options stay valid
        if facts[later] is None:
            del facts[later]
    return json.dumps(facts)


def _facts_of(path: Path) -> str:
    with opened(path) as file:
        return str((file.metadata() or {}).get("bank", ""))
