"""The plot of label sizes and its search, connected to the results of the chosen image."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from napari_drdm.variants.label_sizes import LabelSize, label_sizes, sizes_of_metrics
from napari_drdm.variants.search import SeedSearch, SizeCondition, TriedSeed
from napari_drdm.widgets.distribution_panel import DistributionPanel, SearchedLabel
from napari_drdm.widgets.size_plot import PlottedLabel, PlottedSeed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from napari.layers import Labels, Layer

    from napari_drdm.runs.requests import RunRequest
    from napari_drdm.variants.controller import Variants
    from napari_drdm.variants.history import RunInputs

__all__ = ["Distribution"]

#: Columns of the plot, and seeds that were tried and left, at most.
_COLUMNS, _TRIED = 6, 500


class Distribution:
    """Plots the sizes of labels of results, and searches for seeds.

    Attributes:
        search: for seeds.

    Args:
        panel: with the plot and the search.
        variants: whose results are plotted, and which keeps what is found.
        search: for seeds.
        form_request: the form's request, or None where it cannot be run.
        again: computes a result again that was tried and left.
    """

    def __init__(
        self,
        panel: DistributionPanel,
        variants: Variants,
        search: SeedSearch,
        form_request: Callable[[], RunRequest | None],
        again: Callable[[RunInputs], None],
    ) -> None:
        self._panel, self._variants, self.search = panel, variants, search
        self._form_request, self._again = form_request, again
        self._source: Layer | None = None
        self._labels: Labels | None = None
        self._sizes: tuple[LabelSize, ...] = ()
        self._tried: list[TriedSeed] = []
        panel.search_asked.connect(self._on_search)
        panel.changed.connect(self.refresh)
        panel.plot.picked.connect(self._on_pick)
        search.made.connect(variants.keep)
        search.tried.connect(self._on_tried)
        search.progressed.connect(panel.show_progress)
        search.message.connect(panel.say)
        search.ran.connect(panel.set_running)
        variants.changed.connect(self.refresh)

    def turn_to(self, source: Layer | None, labels: Labels | None) -> None:
        """Another image or other labels are chosen: a search for the last ones ends."""
        if source is self._source and labels is self._labels:
            return
        self.search.stop()
        self._source, self._labels, self._tried = source, labels, []
        self._offer()
        self.refresh()

    def rename(self) -> None:
        """Labels have other names: show them."""
        self._offer()
        self.refresh()

    def refresh(self) -> None:
        """Draw the plot anew, soon."""
        columns = self._columns()
        self._panel.plot.show_seeds(columns, [*self._left(), *self._kept()])

    def close(self) -> None:
        """End the search; the panel may be gone."""
        self.search.blockSignals(True)
        self.search.stop()

    def _offer(self) -> None:
        self._sizes = label_sizes(self._labels)
        self._panel.offer([SearchedLabel(s.value, s.name, s.shown, s.unit) for s in self._sizes])

    def _columns(self) -> list[PlottedLabel]:
        condition = self._condition()
        return [
            PlottedLabel(
                size.value,
                f"{size.name}\n{size.shown:.3g} {size.unit}",
                (condition.low / size.ml, condition.high / size.ml)
                if condition is not None and condition.label == size.value
                else None,
            )
            for size in self._sizes[:_COLUMNS]
        ]

    def _kept(self) -> list[PlottedSeed]:
        current = self._variants.current
        mine = [
            v
            for v in reversed(list(self._variants.history))
            if v.inputs.source is self._source and v.inputs.labels is self._labels
        ]
        return [
            PlottedSeed(
                v.number, self._factors(sizes_of_metrics(v.metrics)), current=v.number == current
            )
            for v in mine
        ]

    def _left(self) -> list[PlottedSeed]:
        return [
            PlottedSeed(("tried", index), self._factors(tried.sizes), kept=False)
            for index, tried in enumerate(self._tried)
        ]

    def _factors(self, sizes: Mapping[int, float]) -> tuple[tuple[int, float], ...]:
        return tuple((s.value, sizes[s.value] / s.ml) for s in self._sizes if s.value in sizes)

    def _condition(self) -> SizeCondition | None:
        panel, chosen = self._panel, self._panel.chosen()
        size = next((s for s in self._sizes if chosen and s.value == chosen.value), None)
        if size is None:
            return None
        low, high = (box.value() * size.ml / size.shown for box in (panel.low, panel.high))
        return SizeCondition(size.value, low, high, panel.wanted.value(), panel.tries.value())

    def _on_search(self, on: bool) -> None:
        if not on:
            self.search.stop()
            return
        condition = self._condition()
        if condition is not None and condition.low > condition.high:
            self._panel.say("The least size is above the largest: change one of them")
            condition = None
        request = self._form_request() if condition is not None else None
        if request is None or condition is None:
            self._panel.set_running(False)
            return
        self._panel.say("")
        self.search.start(request, condition)

    def _on_tried(self, tried: TriedSeed) -> None:
        if not tried.fits:
            self._tried = [*self._tried, tried][-_TRIED:]
            self.refresh()

    def _on_pick(self, key: object) -> None:
        """Show a result that is kept, or compute one again that was left."""
        if isinstance(key, int):
            self._variants.choose(key)
        elif isinstance(key, tuple):
            self._again(self._tried[key[1]].inputs)
