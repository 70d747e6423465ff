"""Sets of pairs that a training draws from: made on use, kept on a device, or two sets mixed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from src_core.tasks.registration.pair_batches import PairBatch

__all__ = ["IndexedPairs", "KeptPairs", "MixedPairs", "PairSet", "SinglePairs"]

_AT_ONCE = 32


class IndexedPairs(Protocol):
    """Pairs by their numbers."""

    def __len__(self) -> int:
        """The number of pairs."""

    def batch(self, indices: Sequence[int]) -> PairBatch:
        """The pairs of these numbers."""


class PairSet(Protocol):
    """What a training draws from."""

    def draw(self, source: np.random.Generator, count: int) -> PairBatch:
        """A batch of this number of pairs, drawn with replacement."""


class SinglePairs:
    """Draws from one set of pairs, all with equal probability."""

    def __init__(self, pairs: IndexedPairs) -> None:
        self._pairs = pairs

    def draw(self, source: np.random.Generator, count: int) -> PairBatch:
        """A batch of this number of pairs."""
        return self._pairs.batch(source.integers(0, len(self._pairs), count).tolist())


class MixedPairs:
    """Real pairs, then synthetic ones, half of each batch; of an odd number one more is real.

    ``truth`` and ``known`` of a batch are those of its synthetic pairs alone.
    """

    def __init__(self, real: IndexedPairs, synthetic: IndexedPairs) -> None:
        self._real, self._synthetic = SinglePairs(real), SinglePairs(synthetic)

    def draw(self, source: np.random.Generator, count: int) -> PairBatch:
        """A batch of this number of pairs."""
        real = self._real.draw(source, count - count // 2)
        made = self._synthetic.draw(source, count // 2)
        return PairBatch(
            torch.cat([real.moving, made.moving]),
            torch.cat([real.fixed, made.fixed]),
            made.truth,
            made.known,
        )


class KeptPairs:
    """All pairs of a set, made once and kept on a device: a batch is an indexing."""

    def __init__(self, pairs: IndexedPairs, device: torch.device) -> None:
        numbers = range(len(pairs))
        parts = [
            pairs.batch(numbers[first : first + _AT_ONCE]).to(device)
            for first in range(0, len(numbers), _AT_ONCE)
        ]
        self._all, self._device = _joined(parts), device

    def __len__(self) -> int:
        """The number of pairs."""
        return len(self._all.moving)

    def batch(self, indices: Sequence[int]) -> PairBatch:
        """The pairs of these numbers."""
        at, every = torch.tensor(indices, device=self._device), self._all
        truth = None if every.truth is None else every.truth[at]
        known = None if every.known is None else every.known[at]
        return PairBatch(every.moving[at], every.fixed[at], truth, known)


def _joined(parts: Sequence[PairBatch]) -> PairBatch:
    def joined(values: Sequence[Tensor | None]) -> Tensor | None:
        present = [v for v in values if v is not None]
        return torch.cat(present) if present else None

    return PairBatch(
        torch.cat([p.moving for p in parts]),
        torch.cat([p.fixed for p in parts]),
        joined([p.truth for p in parts]),
        joined([p.known for p in parts]),
    )
