"""Batches: synthetic pairs with the field between them known, and real pairs.

A synthetic pair is made when it is drawn, as Algorithm 4 has it: ``moving = I o phi_1`` and
``fixed = I o phi_1 o phi_2``, either sampled once from the original, and u_2 is the truth.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from src_core.datasets.reading import Entry
from src_core.errors import InputError
from src_core.fields import compose
from src_core.fields.sampling import identity, inside, warp
from src_core.tasks.registration.synthetic_pairs import Drawn
from src_core.tasks.registration.window import Laid, Window

__all__ = ["Batch", "Pairing", "Real", "Synthetic", "make_batch", "real_pairs"]

Pairing = Literal["subject", "between"]


@dataclass(frozen=True, eq=False)
class Batch:
    """Pairs of images, (B, 1, *size) in 0..1 each.

    Attributes:
        truth: (B, D, *size), voxels: fixed(x) = moving(x + truth(x)); None for real pairs.
        known: (B, 1, *size), whether x + truth(x) lies in the window.
    """

    moving: Tensor
    fixed: Tensor
    truth: Tensor | None = None
    known: Tensor | None = None

    def to(self, device: torch.device) -> Batch:
        """The same on a device."""
        moved = (
            None if v is None else v.to(device)
            for v in (self.moving, self.fixed, self.truth, self.known)
        )  # fmt: skip
        return Batch(*moved)  # type: ignore[arg-type]


@dataclass(frozen=True, eq=False)
class Synthetic:
    """Pairs made of single images, each case's ``drawn`` deformations beside it."""

    cases: Sequence[Laid]
    drawn: Sequence[Drawn]
    window: Window

    def __len__(self) -> int:
        """How many pairs there are."""
        return sum(len(drawn.units) for drawn in self.drawn)

    def batch(self, places: Sequence[int]) -> Batch:
        """Some pairs, by their numbers."""
        ends = np.cumsum([len(drawn.units) for drawn in self.drawn])
        cases = np.searchsorted(ends, places, "right")
        pairs = [
            self._pair(case, place - (int(ends[case]) - len(self.drawn[case].units)))
            for case, place in zip(cases.tolist(), places, strict=True)
        ]
        images, first, second = (torch.cat(parts) for parts in zip(*pairs, strict=True))
        return make_batch(images, self.window.field(first), self.window.field(second), self.window)

    def _pair(self, case: int, index: int) -> tuple[Tensor, Tensor, Tensor]:
        drawn = self.drawn[case]
        first, second = drawn.fields(index)
        return self.cases[case].whole([drawn.units[index]]), first, second


def make_batch(images: Tensor, first: Tensor, second: Tensor, window: Window) -> Batch:
    """Pairs of images (B, 1, *side) by phi_1 and phi_2, (B, D, *side), voxels."""
    moving = warp(images, first, padding="zeros")
    fixed = warp(images, compose(first, second), padding="zeros")
    moving, fixed, truth = (window.cut(v) for v in (moving, fixed, second))
    size = truth.shape[2:]
    known = inside(identity(size, truth) + truth, size)[:, None]
    return Batch(moving, fixed, truth, known)


@dataclass(frozen=True, eq=False)
class Real:
    """Slices, or volumes, of real pairs (moving, fixed)."""

    pairs: Sequence[tuple[Laid, Laid]]
    units: Sequence[tuple[int, int]]
    window: Window

    def __len__(self) -> int:
        """How many there are."""
        return len(self.units)

    def batch(self, places: Sequence[int]) -> Batch:
        """Some of them, by their numbers."""
        found = [(self.pairs[p], u) for p, u in (self.units[place] for place in places)]
        moving, fixed = (
            torch.cat([pair[side].image([unit], self.window) for pair, unit in found])
            for side in (0, 1)
        )
        return Batch(moving, fixed)


def real_pairs(entries: Sequence[Entry], pairing: Pairing, where: str) -> list[tuple[int, int]]:
    """Numbers (moving, fixed) of a data set's real pairs, each pair both ways round.

    ``subject``: a case and the next one of the same subject, such as end-diastole and end-systole.
    ``between``: a case and that of the next subject.

    Raises:
        InputError: there are none.
    """
    groups: dict[str, list[int]] = {}
    for index, entry in enumerate(entries):
        groups.setdefault(entry.subject, []).append(index)
    if pairing == "subject":
        chains = list(groups.values())
    else:
        firsts = [cases[0] for cases in groups.values()]
        chains = [firsts + firsts[:1]] if len(firsts) > 2 else [firsts]
    found = [pair for chain in chains for pair in pairwise(chain)]
    if not found:
        needed = "two cases of one subject" if pairing == "subject" else "two subjects"
        raise InputError("there are no real pairs", where=where, expected=needed)
    return [pair for a, b in found for pair in ((a, b), (b, a))]
