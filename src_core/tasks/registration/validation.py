"""Validation pairs, kept on a device, and two figures of a network on them for its curve.

Labels are warped as fractions, and the largest fraction wins, as in the test.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from src_core.fields import folding_permille
from src_core.fields.sampling import warp
from src_core.tasks.registration.measures import Pair, shown_slabs
from src_core.tasks.registration.window import InputWindow

__all__ = ["ValidationPairs"]

_AT_ONCE = 32


class ValidationPairs:
    """Real pairs of subjects that are neither trained on nor tested.

    Args:
        pairs: their cases, with labels.
        device: where networks run.
    """

    def __init__(self, pairs: Sequence[Pair], window: InputWindow, device: torch.device) -> None:
        slabs = [shown_slabs(pair) for pair in pairs]
        found = list(zip(pairs, slabs, strict=True))
        both = [torch.cat([case.image(s, window) for case in pair], 1) for pair, s in found]
        self._both = torch.cat(both).to(device)
        self._moving = torch.cat([pair[0].masks(s) for pair, s in found]).to(device)
        self._target = _elected(torch.cat([pair[1].masks(s) for pair, s in found]).to(device))
        numbers = [number for number, s in enumerate(slabs) for _ in s]
        self._pair, self._count = torch.tensor(numbers, device=device), len(pairs)

    @torch.inference_mode()
    def figures(self, network: nn.Module) -> dict[str, float]:
        """``dsc``, the mean over labels and pairs, and ``central``, folding in permille."""
        u = torch.cat([network(part) for part in self._both.split(_AT_ONCE)])
        parts = zip(self._moving.split(_AT_ONCE), u.split(_AT_ONCE), strict=True)
        moved = _elected(torch.cat([warp(m, v, padding="zeros") for m, v in parts]))
        return {
            "dsc": float(self._dice(moved, self._moving.shape[1]).nanmean()),
            "central": float(folding_permille(u).mean()),
        }

    def _dice(self, moved: Tensor, labels: int) -> Tensor:
        """Mean over labels of each pair: (pairs,), NaN where the fixed image shows none."""
        of_labels = []
        for label in range(1, labels + 1):
            one, other = moved == label, self._target == label
            overlap, a, b = (self._summed(part) for part in (one & other, one, other))
            of_labels.append(torch.where(b > 0, 2 * overlap / (a + b), torch.nan))
        return torch.stack(of_labels).nanmean(0)

    def _summed(self, masks: Tensor) -> Tensor:
        """Voxels of masks (B, *size) over the slabs of each pair."""
        sums = torch.zeros(self._count, dtype=torch.float64, device=masks.device)
        return sums.index_add(0, self._pair, masks.flatten(1).sum(1).double())


def _elected(shares: Tensor) -> Tensor:
    """Fractions (B, K, *size) -> the number of the largest, 1 to K, or 0 for background."""
    return torch.cat([1 - shares.sum(1, keepdim=True), shares], 1).argmax(1)
