"""Results that were deleted, so that it can be undone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_drdm.variants.history import History, Variant

__all__ = ["DeletedVariants"]

#: Deletions that can be undone, at most.
_MOST = 20


class DeletedVariants:
    """Takes results out of a history and puts them back, the last deletion first.

    Those of the last deletion and pinned ones keep their arrays; others are computed again.

    Args:
        history: they are taken out of.
    """

    def __init__(self, history: History) -> None:
        self._history = history
        self._groups: list[list[tuple[int, Variant]]] = []

    def __len__(self) -> int:
        return len(self._groups)

    def take(self, variants: Sequence[Variant]) -> None:
        """Delete results together."""
        for group in self._groups:
            for _, variant in group:
                variant.outcome = variant.outcome if variant.pinned else None
        self._groups.append([(self._history.remove(v), v) for v in variants])
        del self._groups[:-_MOST]

    def put_back(self) -> list[Variant]:
        """Undo the last deletion; what was computed again meanwhile stays as it is."""
        back = []
        for place, variant in reversed(self._groups.pop() if self._groups else []):
            if self._history.find(variant.inputs) is None:
                self._history.put(variant, place)
                back.append(variant)
        return back
