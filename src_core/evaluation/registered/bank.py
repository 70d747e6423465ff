"""Fields between real subjects in a folder, registered once: a frame, and a file for each field.

Every case is brought into a common frame by a similarity, so that a field between two of them holds
shape and not pose; it is carried to a third case by the similarity of that one and the frame.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from src_core.datasets.reading import Entry
from src_core.errors import InputError
from src_core.evaluation.cases import EvaluatedCase, load_case
from src_core.evaluation.registered.pairs import CasePair, pairs_of
from src_core.evaluation.registered.placed import (
    PaintedCase,
    align,
    in_frame,
    overlaps,
    painted,
    transported,
)
from src_core.evaluation.registered.registration import Similarity, demons
from src_core.fields.sampling import warp
from src_core.io import open_atomically
from src_core.io.folder import make_folder
from src_core.models.device import fixed_threads
from src_core.models.model import ModelSpec

__all__ = ["BankPlan", "RegisteredBank", "fill_bank", "plan_bank"]

_FRAME, _KEY = "frame.safetensors", "drdm-registered"
_AGAIN = "choose another folder, or delete this one"


@dataclass(frozen=True)
class BankPlan:
    """What a bank holds when it is finished.

    Attributes:
        pairs: cases that are registered; the frame is the grid of the first moving one.
        labels: values painted over the images.
        ndim: 2 for slices, 3 for volumes.
    """

    folder: Path
    pairs: tuple[CasePair, ...]
    labels: tuple[int, ...]
    ndim: int

    def path(self, index: int) -> Path:
        """The file of a field."""
        return self.folder / f"field-{index + 1:04d}.safetensors"

    def missing(self) -> list[int]:
        """Numbers of the pairs that have no file yet."""
        return [i for i in range(len(self.pairs)) if not self.path(i).is_file()]


@dataclass(eq=False)
class RegisteredBank:
    """The fields of a finished bank, for the cases of an evaluation.

    Attributes:
        state: voxels per side of the state grid; fields are on a multiple of it.
    """

    plan: BankPlan
    state: int
    _aligned: dict[str, tuple[PaintedCase, Similarity]] = field(default_factory=dict)

    @cached_property
    def frame(self) -> PaintedCase:
        """The frame that every field lies in."""
        return _read_frame(self.plan)

    def count(self, case: EvaluatedCase) -> int:
        """How many fields between other subjects a case has."""
        return len(self._others(case))

    def field(self, case: EvaluatedCase, seed: int) -> Tensor | None:
        """One of the fields between other subjects, for a case: (1, D, *side), its voxels.

        Each seed, from 1, has another field; None where there are no more.
        """
        order = np.random.default_rng(case.code).permutation(self._others(case))
        if seed > len(order):
            return None
        if case.name not in self._aligned:
            placed = painted(case, self.state)
            self._aligned = {case.name: (placed, align(self.frame, placed))}
        placed, similar = self._aligned[case.name]
        u = _read(self.plan.path(int(order[seed - 1])))[0]["u"]
        return transported(u, self.frame, placed, similar)

    def _others(self, case: EvaluatedCase) -> list[int]:
        pairs = self.plan.pairs
        return [i for i, pair in enumerate(pairs) if case.subject not in pair.subjects]


def plan_bank(
    folder: Path, entries: Sequence[Entry], count: int, labels: tuple[int, ...], ndim: int
) -> BankPlan:
    """The plan of the bank in a folder, or of the one to be made there.

    Raises:
        InputError: the bank in the folder was made for other labels or another dimension, or lacks
            fields between cases that are not among the entries.
    """
    if not (folder / _FRAME).is_file():
        return BankPlan(folder, tuple(pairs_of(entries, count)), labels, ndim)
    facts = _read(folder / _FRAME)[1]
    if (tuple(facts["labels"]), facts["ndim"]) != (labels, ndim):
        raise InputError(
            "the fields in this folder are of other labels or another dimension",
            where=str(folder),
            expected=f"labels {labels} in {ndim}D",
            do=_AGAIN,
        )
    pairs = tuple(CasePair(p["moving"], p["fixed"], tuple(p["subjects"])) for p in facts["pairs"])
    plan = BankPlan(folder, pairs, labels, ndim)
    known = {e.name for e in entries}
    if any({pairs[i].moving, pairs[i].fixed} - known for i in plan.missing()):
        raise InputError(
            "fields are missing in this folder, between cases of another data set",
            where=str(folder),
            do=_AGAIN,
        )
    return plan


def fill_bank(
    plan: BankPlan,
    entries: Sequence[Entry],
    spec: ModelSpec,
    choice: str = "largest",
    process: tuple[int, int] = (1, 1),
) -> Iterator[int]:
    """Register the pairs that have no file yet; yields the number of fields that are there.

    Args:
        plan: of the bank.
        entries: the cases, those of missing fields among them.
        spec: of the model whose grid they are registered on.
        choice: which slice of a case a 2D field is of.
        process: number of this process, and of all that fill the bank; each begins with a part of
            its own, and ends when all are there.
    """
    missing = plan.missing()
    begin = len(missing) * (process[0] - 1) // process[1]
    missing = missing[begin:] + missing[:begin]
    done = len(plan.pairs) - len(missing)
    yield done
    if not missing:
        return
    make_folder(plan.folder)
    known = {e.name: e for e in entries}

    def read(name: str) -> PaintedCase:
        return painted(load_case(known[name], spec, plan.labels, choice), spec.state)

    if not (plan.folder / _FRAME).is_file():
        with fixed_threads(), torch.inference_mode():
            _write_frame(plan, read(plan.pairs[0].moving))
    frame = _read_frame(plan)
    placed: dict[str, PaintedCase] = {}
    for index in missing:
        pair = plan.pairs[index]
        if not plan.path(index).is_file():
            with fixed_threads(), torch.inference_mode():
                for name in {pair.moving, pair.fixed} - placed.keys():
                    placed[name] = in_frame(frame, read(name))
                _write_field(plan.path(index), pair, placed[pair.moving], placed[pair.fixed])
        done += 1
        yield done


def _read_frame(plan: BankPlan) -> PaintedCase:
    tensors, facts = _read(plan.folder / _FRAME)
    return PaintedCase(tensors["values"], tensors["shares"], facts["mm"])


def _write_frame(plan: BankPlan, frame: PaintedCase) -> None:
    facts = {"labels": plan.labels, "ndim": plan.ndim, "mm": frame.mm}
    pairs = [asdict(pair) for pair in plan.pairs]
    tensors = {"values": frame.values, "shares": frame.shares}
    _write(plan.folder / _FRAME, tensors, {**facts, "pairs": pairs})


def _write_field(path: Path, pair: CasePair, moving: PaintedCase, fixed: PaintedCase) -> None:
    u = demons(fixed.values[0, 0], moving.values[0, 0])
    before = overlaps(moving.shares, fixed.shares)
    after = overlaps(warp(moving.shares, u), fixed.shares)
    _write(path, {"u": u}, {**asdict(pair), "dice_aligned": before, "dice": after})


def _write(path: Path, tensors: dict[str, Tensor], facts: dict[str, Any]) -> None:
    whole = {name: value.contiguous() for name, value in tensors.items()}
    with open_atomically(path) as file:
        file.write(save(whole, {_KEY: json.dumps(facts)}))


def _read(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    try:
        with safe_open(path, framework="pt") as file:
            facts = json.loads(file.metadata()[_KEY])
            return {name: file.get_tensor(name) for name in file.keys()}, facts  # noqa: SIM118
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        raise InputError(
            "this is no file of fields between subjects", where=str(path), do=_AGAIN
        ) from error
