"""Which results were on view and in which order; the strip selects the last of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_drdm.variants.history import RunInputs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_drdm.runs.moments import Moment
    from napari_drdm.runs.requests import RunRequest
    from napari_drdm.variants.history import History, Variant
    from napari_drdm.variants.panel import VariantsPanel

__all__ = ["ResultsOnView"]


class ResultsOnView:
    """The results that were shown, by their numbers.

    Args:
        history: of all results.
        panel: that selects the one on view.
    """

    def __init__(self, history: History, panel: VariantsPanel) -> None:
        self._history, self._panel = history, panel
        self._shown: list[int] = []
        self._seen: RunInputs | None = None

    @property
    def current(self) -> int | None:
        """The number of the result that was shown last."""
        return self._shown[-1] if self._shown else None

    def came(self, variant: Variant) -> None:
        """A result is on view now; two of its image that are chosen stay chosen."""
        self._shown = [*(n for n in self._shown if n != variant.number), variant.number]
        chosen = self._variants(self._panel.numbers())
        if len(chosen) < 2 or any(not _same_image(one, variant) for one in chosen):
            self._panel.mark(variant.number)

    def turns(self, request: RunRequest | None) -> bool:
        """Whether a request that is on view now is another than before."""
        before, self._seen = self._seen, RunInputs.of(request) if request else None
        return before != self._seen

    def follow(self, moment: Moment | None) -> None:
        """Select the result of what is on view, and none where that is not a result."""
        variant = self._history.find(RunInputs.of(moment.request)) if moment else None
        if variant is None:
            self._panel.mark(None)
        else:
            self.came(variant)

    def pair(self, numbers: Sequence[int]) -> list[Variant]:
        """The two chosen, the older first, or the two shown last, if possible of one image."""
        if len(numbers) == 2:
            return self._variants(numbers)
        shown = self._variants(self._shown)
        alike = [one for one in shown if _same_image(one, shown[-1])]
        return (alike if len(alike) > 1 else shown)[-2:]

    def _variants(self, numbers: Sequence[int]) -> list[Variant]:
        return [v for v in map(self._history.get, numbers) if v is not None]


def _same_image(one: Variant, other: Variant) -> bool:
    return one.inputs.source is other.inputs.source
