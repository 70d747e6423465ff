"""Batches of synthetic pairs, with the known field between them, and of real pairs.

A synthetic pair is computed on use (paper, Algorithm 4): ``moving = I o phi_1`` and
``fixed = I o phi_1 o phi_2``, both sampled once from the original, and u_2 is the truth.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from src_core.datasets.reading import Entry
from src_core.errors import InputError
from src_core.fields import compose
from src_core.fields.sampling import identity, inside, warp
from src_core.tasks.registration.options import Pairing
from src_core.tasks.registration.synthetic_pairs import PairFields
from src_core.tasks.registration.window import InputWindow, WindowedCase

__all__ = [
    "PairBatch",
    "RealPairs",
    "SyntheticPairs",
    "checked_pairs",
    "make_batch",
    "real_pairs",
]


@dataclass(frozen=True, eq=False)
class PairBatch:
    """Pairs of images, (B, 1, *size) in 0..1 each.

    Attributes:
        truth: (B, D, *size), voxels: fixed(x) = moving(x + truth(x)); None for real pairs.
        known: (B, 1, *size), whether x + truth(x) lies in the window.
    """

    moving: Tensor
    fixed: Tensor
    truth: Tensor | None = None
    known: Tensor | None = None

    def to(self, device: torch.device) -> PairBatch:
        """The same on a device."""
        moved = (
            None if v is None else v.to(device)
            for v in (self.moving, self.fixed, self.truth, self.known)
        )  # fmt: skip
        return PairBatch(*moved)  # type: ignore[arg-type]


@dataclass(frozen=True, eq=False)
class SyntheticPairs:
    """Pairs made of single images, by the ``fields`` of each case."""

    cases: Sequence[WindowedCase]
    fields: Sequence[PairFields]
    window: InputWindow

    def __len__(self) -> int:
        """The number of pairs."""
        return sum(len(fields.slabs) for fields in self.fields)

    def batch(self, indices: Sequence[int]) -> PairBatch:
        """The pairs of these indices."""
        ends = np.cumsum([len(fields.slabs) for fields in self.fields])
        cases = np.searchsorted(ends, indices, "right")
        pairs = [
            self._pair(case, index - (int(ends[case]) - len(self.fields[case].slabs)))
            for case, index in zip(cases.tolist(), indices, strict=True)
        ]
        images, first, second = (torch.cat(parts) for parts in zip(*pairs, strict=True))
        return make_batch(images, self.window.field(first), self.window.field(second), self.window)

    def _pair(self, case: int, index: int) -> tuple[Tensor, Tensor, Tensor]:
        fields = self.fields[case]
        first, second = fields.read(index)
        return self.cases[case].whole([fields.slabs[index]]), first, second


def make_batch(images: Tensor, first: Tensor, second: Tensor, window: InputWindow) -> PairBatch:
    """Pairs of images (B, 1, *side) by phi_1 and phi_2, (B, D, *side), voxels."""
    moving = warp(images, first, padding="zeros")
    fixed = warp(images, compose(first, second), padding="zeros")
    moving, fixed, truth = (window.cut(v) for v in (moving, fixed, second))
    size = truth.shape[2:]
    known = inside(identity(size, truth) + truth, size)[:, None]
    return PairBatch(moving, fixed, truth, known)


@dataclass(frozen=True, eq=False)
class RealPairs:
    """Slices, or volumes, of real pairs (moving, fixed)."""

    pairs: Sequence[tuple[WindowedCase, WindowedCase]]
    slabs: Sequence[tuple[int, int]]
    window: InputWindow

    def __len__(self) -> int:
        """Their index."""
        return len(self.slabs)

    def batch(self, indices: Sequence[int]) -> PairBatch:
        """Those of these indices."""
        found = [(self.pairs[p], u) for p, u in (self.slabs[index] for index in indices)]
        moving, fixed = (
            torch.cat([pair[side].image([slab], self.window) for pair, slab in found])
            for side in (0, 1)
        )
        return PairBatch(moving, fixed)


def real_pairs(entries: Sequence[Entry], pairing: Pairing, where: str) -> list[tuple[int, int]]:
    """Indices (moving, fixed) of a data set's real pairs, each pair in both directions.

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


def checked_pairs(
    cases: Sequence[WindowedCase], entries: Sequence[Entry], pairing: Pairing, where: str
) -> list[tuple[WindowedCase, WindowedCase]]:
    """The real pairs of some cases, which their entries describe in the same order.

    Raises:
        InputError: there are none, or one of two cases that are not on one grid.
    """
    pairs = [(cases[a], cases[b]) for a, b in real_pairs(entries, pairing, where)]
    for one, other in pairs:
        slices = len(one.images), len(other.images)
        if slices[0] != slices[1]:
            raise InputError(
                f"{one.name} has {slices[0]} slices and {other.name} {slices[1]}",
                option="pairs",
                expected="two cases on one grid",
            )
    return pairs
