"""The sets of pairs that the networks of a run are trained on, each made when it is first needed.

On a GPU all pairs are made once and stay in its memory; on a CPU a batch is made when it is drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from src_core.tasks.registration.measures import Pair, shown_slabs
from src_core.tasks.registration.pair_batches import RealPairs, SyntheticPairs
from src_core.tasks.registration.pair_sets import IndexedPairs, KeptPairs
from src_core.tasks.registration.synthetic_pairs import Kind, open_pairs
from src_core.tasks.registration.window import InputWindow, WindowedCase

__all__ = ["TrainingPairs"]


class TrainingPairs:
    """Synthetic pairs of each kind, and real ones.

    Args:
        cases: the training cases.
        folder: with the deformations of their synthetic pairs.
        real: pairs of these cases.
        device: where networks are trained.
    """

    def __init__(
        self,
        cases: Sequence[WindowedCase],
        folder: Path,
        real: Sequence[Pair],
        window: InputWindow,
        device: torch.device,
    ) -> None:
        self._cases, self._folder, self._real = cases, folder, real
        self._window, self._device = window, device
        self._made: dict[str, IndexedPairs] = {}

    def synthetic(self, kind: Kind) -> IndexedPairs:
        """Those of the model or of B-splines."""
        if kind not in self._made:
            fields = [open_pairs(self._folder, case.name, kind) for case in self._cases]
            self._made[kind] = self._kept(SyntheticPairs(self._cases, fields, self._window))
        return self._made[kind]

    def real(self) -> IndexedPairs:
        """Every slab of the real pairs that shows a label in one of its two cases."""
        if "real" not in self._made:
            slabs = [(p, u) for p, pair in enumerate(self._real) for u in shown_slabs(pair)]
            self._made["real"] = self._kept(RealPairs(self._real, slabs, self._window))
        return self._made["real"]

    def _kept(self, pairs: IndexedPairs) -> IndexedPairs:
        return KeptPairs(pairs, self._device) if self._device.type == "cuda" else pairs
