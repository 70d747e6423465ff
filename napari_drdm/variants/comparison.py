"""Two results compared: in turn in one place, or the second minus the first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from napari_drdm.runs.runner import BackgroundTask
from napari_drdm.variants.blink import Blink
from napari_drdm.variants.layers import (
    OwnLayers,
    brightness,
    child_name,
    difference,
    difference_layer,
    label_layer,
    label_values,
    passing_name,
    picture_layer,
    values,
)

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Image, Layer

    from napari_drdm.runs.requests import RunOutcome
    from napari_drdm.variants.history import Variant
    from napari_drdm.variants.panel import VariantsPanel

__all__ = ["VariantComparison"]


class VariantComparison:
    """A/B and differences.

    Args:
        viewer: that they are shown in.
        own: keeps their layers.
        panel: shows why something cannot be compared.
        labelled: whether labels are shown.
        seen: called with the result of an A/B that is on view, None when it ends.
    """

    def __init__(
        self,
        viewer: ViewerModel,
        own: OwnLayers,
        panel: VariantsPanel,
        labelled: Callable[[], bool] = lambda: True,
        seen: Callable[[RunOutcome | None], None] = lambda _: None,
    ) -> None:
        self._viewer, self._own, self._panel = viewer, own, panel
        self._labelled, self._seen = labelled, seen
        self._outcomes: tuple[RunOutcome, ...] = ()
        self._blink, self._job = Blink(own, self._on_turn), BackgroundTask(panel)
        self._job.done.connect(self._on_difference)
        self._job.failed.connect(panel.say)
        self._source: Any = None
        self._held = False
        self._differences: dict[Any, Image] = {}

    @property
    def running(self) -> bool:
        """Whether two are shown in turn."""
        return self._blink.running

    def blink(self, pair: Sequence[Variant], by_turns: bool = True) -> None:
        """Show A and B in turn."""
        outcomes = self._comparable(pair)
        if outcomes is None:
            return
        self._source, self._outcomes = pair[0].inputs.source, outcomes
        names = [f"{x}: {v.name}" for x, v in zip("AB", pair, strict=True)]
        a, b = map(self._layers, names, outcomes)
        self._blink.start(a, b, by_turns)
        self._panel.say(f"A {pair[0].name}, B {pair[1].name}")

    def stop(self) -> None:
        """Show neither."""
        if self.running:
            self._blink.stop()
            self._held, self._source = False, None
            self._seen(None)

    def hold(self, down: bool, pair: Sequence[Variant]) -> None:
        """B while a key is down; afterwards as it was before."""
        if down and not self.running:
            self.blink(pair, by_turns=False)
            self._held = self.running
        if self._held and not down:
            self.stop()
        else:
            self._blink.hold(down)

    def put_away(self) -> None:
        """Another result is on view: no difference must cover it."""
        for layer in self._differences.values():
            layer.visible = False

    def subtract(self, pair: Sequence[Variant]) -> None:
        """Compute B - A in a worker, then show it."""
        outcomes = self._comparable(pair)
        if outcomes is None:
            return
        a, b = outcomes
        source, name = pair[0].inputs.source, f"{pair[1].name} − {pair[0].name}"
        self._job.run(lambda: (source, name, difference(brightness(a), brightness(b))))

    def tidy(self) -> None:
        """Stop comparisons whose layers are gone."""
        gone = self._source is not None and self._source not in self._viewer.layers
        if gone or self._blink.broken():
            self.stop()
        kept = self._differences.items()
        self._differences = {s: own for s, own in kept if own in self._own}

    def _layers(self, name: str, outcome: RunOutcome) -> list[Layer]:
        """The image of a result, and its labels where they are shown."""
        image = picture_layer(self._source, values(outcome), passing_name(name), "comparison")
        labels, source = label_values(outcome), outcome.request.labels
        if labels is None or source is None or not self._labelled():
            return [image]
        named = passing_name(f"{name} labels")
        return [image, label_layer(source, labels, named, "comparison labels")]

    def _on_turn(self, second: bool) -> None:
        self._seen(self._outcomes[second])

    def _comparable(self, pair: Sequence[Variant]) -> tuple[RunOutcome, RunOutcome] | None:
        if len(pair) != 2:
            self._panel.say("Choose two: click one, Ctrl+click the other")
            return None
        a, b = pair[0].outcome, pair[1].outcome
        if a is None or b is None:
            name = pair[a is not None].name
            self._panel.say(f"{name} is no longer stored: click to compute it again")
            return None
        shapes = {outcome.result.case.image.shape for outcome in (a, b)}
        if pair[0].inputs.source is not pair[1].inputs.source or len(shapes) > 1:
            self._panel.say("These two are of different images")
            return None
        return a, b

    def _on_difference(self, made: tuple[Any, str, Any]) -> None:
        source, name, data = made
        layer = self._differences.get(source)
        if source not in self._viewer.layers:
            return
        if layer is not None and layer in self._own and layer.data.shape == data.shape:
            layer.data, layer.visible = data, True
            layer.name = child_name(source, name)
            return
        if layer is not None:
            self._own.drop(layer)
        self._differences[source] = difference_layer(source, data, name)
        self._own.add(self._differences[source])
