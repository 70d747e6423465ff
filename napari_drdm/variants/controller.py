"""Variants in a viewer: what a panel asks for, a history, and the layers made of it.

Only layers made here are added, changed or removed; the user's are left alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, QTimer, Signal

from napari_drdm.variants.comparison import VariantComparison
from napari_drdm.variants.deleted import DeletedVariants
from napari_drdm.variants.entries import Thumbnails, entries_of
from napari_drdm.variants.history import History, RunInputs, Variant
from napari_drdm.variants.layers import OwnLayers
from napari_drdm.variants.on_view import ResultsOnView
from napari_drdm.variants.pinned import PinnedLayers, names_of, return_layers
from napari_drdm.variants.seeds import SeedGrid, requests_for
from napari_drdm.variants.sequence import Generate

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer

    from napari_drdm.runs.moments import Moment
    from napari_drdm.runs.requests import RunOutcome, RunRequest
    from napari_drdm.variants.panel import VariantsPanel

__all__ = ["Variants"]

_DIFFERS = "its image, its labels or the software has changed"


class Variants(QObject):
    """What the panel asks for, done; ``changed()``: other results, or another one on view.

    ``compared(RunOutcome)``: the result of an A/B or of nine seeds that is seen now, None: neither.

    Attributes:
        history: of the results.
        seeds: the nine side by side; ``seeds.ran(bool)``: they are being computed.

    Args:
        viewer: whose layers come and go.
        panel: with the buttons and the message line.
        show: shows a stored result again.
        again: computes a result again that is no longer stored; ``add`` takes it.
        form_request: the form's request, or None where it cannot be run.
        generate: runs a request for the nine seeds, in a worker; None: with memory of its own.
        labelled: whether labels are shown.
        history: where to keep the results; else one of usual size.
    """

    changed = Signal()
    compared = Signal(object)

    def __init__(
        self,
        viewer: ViewerModel,
        panel: VariantsPanel,
        *,
        show: Callable[[RunOutcome], None],
        again: Callable[[RunInputs], None],
        form_request: Callable[[], RunRequest | None],
        generate: Generate | None = None,
        labelled: Callable[[], bool] = lambda: True,
        history: History | None = None,
    ) -> None:
        super().__init__()
        self._viewer, self._panel, self._labelled = viewer, panel, labelled
        self._show, self._again, self._form_request = show, again, form_request
        self.history = History() if history is None else history
        self._own = OwnLayers(viewer)
        self._pins, self._deleted = PinnedLayers(self._own), DeletedVariants(self.history)
        self._comparison = VariantComparison(viewer, self._own, panel, labelled, self.compared.emit)
        self.seeds = SeedGrid(viewer, self._own, generate)
        self._portraits = Thumbnails()
        self._on_view = ResultsOnView(self.history, panel)
        self._later: dict[int, Callable[[Variant], None]] = {}
        self._tidying = QTimer()
        self._tidying.setSingleShot(True)
        self._tidying.timeout.connect(self._tidy)
        self._removed = viewer.layers.events.removed
        self._removed.connect(self._on_removed)
        self._connect(panel)
        self.refresh()

    @property
    def current(self) -> int | None:
        """The number of the result that was shown last."""
        return self._on_view.current

    def owns(self, layer: Layer) -> bool:
        """Whether a layer was made here."""
        return layer in self._own

    def add(self, outcome: RunOutcome) -> None:
        """A result was finished and is on view."""
        before = self.history.find(RunInputs.of(outcome.request))
        recipe = before.recipe if before else {}
        variant = self.keep(outcome)
        self._came(variant)
        wish = self._later.pop(variant.number, None)
        if wish is not None:
            wish(variant)
        if recipe.get("outputs", {}) not in ({}, outcome.result.recipe.get("outputs")):
            self._panel.say(f"{variant.name} differs from before: {_DIFFERS}")

    def keep(self, outcome: RunOutcome) -> Variant:
        """Keep a result that is not on view."""
        variant = self.history.add(outcome, self._portraits.of(outcome))
        self.refresh()
        return variant

    def close(self) -> None:
        """Stop everything, and no longer listen to the viewer; the panel may be gone."""
        self._removed.disconnect(self._on_removed)
        self._tidying.stop()
        self.blockSignals(True)
        self._comparison.stop()
        self.seeds.blockSignals(True)
        self.seeds.leave()

    def choose(self, number: int) -> None:
        """Show a result again."""
        variant = self.history.get(number)
        if variant is None:
            return
        self.history.pick(variant)
        self.leave_comparisons()
        back = return_layers(self._viewer, variant)
        self._with_outcome(variant, self._show_again)
        if back:
            self._panel.say(f"{back}: removed before, back in the viewer for {variant.name}")

    def follow(self, moment: Moment | None) -> None:
        """Select the result of what is on view, and none where that is not a result."""
        self._on_view.follow(moment)
        self.see(moment.request if moment else None)

    def see(self, request: RunRequest | None) -> None:
        """Something of a request is on view; of another than before, differences go."""
        if self._on_view.turns(request):
            self._comparison.put_away()

    def leave_comparisons(self) -> None:
        """Show neither A/B nor nine seeds, but the result that is on view otherwise."""
        self._comparison.stop()
        self.seeds.leave()

    def pin(self, numbers: Sequence[int]) -> None:
        """Keep results as layers; those that are all pinned already are unpinned."""
        variants = self._variants(numbers)
        if variants and all(v.pinned and v.layers for v in variants):
            count = sum(len(self._unpin(variant)) for variant in variants)
            gone = f"{count} layer{'s' if count > 1 else ''} removed"
            self._panel.say(f"Unpinned {names_of(variants, self.history)}: {gone}")
        else:
            self._panel.say(f"Pinning {names_of(variants, self.history)}")
            for variant in variants:
                variant.pinned = True
                if not variant.layers:
                    self._with_outcome(variant, self._stand)
        self.refresh()

    def rename(self, number: int, name: str) -> None:
        """Rename a result and its layer."""
        for variant in self._variants([number]):
            variant.name, variant.picked = name, True
            self._pins.rename(variant)
        self.refresh()

    def delete(self, numbers: Sequence[int]) -> None:
        """Remove results and their layers, until it is undone."""
        self._comparison.stop()
        variants = self._variants(numbers)
        for variant in variants:
            self._pins.drop(variant)
        if variants:
            names = names_of(variants, self.history)
            self._deleted.take(variants)
            self._panel.say(f"Deleted {names}: Undo delete brings it back")
        self.refresh()

    def undo(self) -> None:
        """Bring back what was deleted last, with its layers."""
        back = self._deleted.put_back()
        names = names_of(back, self.history)
        self._panel.say(f"{names}: back again" if back else "There is nothing to undo")
        for variant in back:
            if variant.pinned and variant.outcome is not None:
                self._stand(variant)
        self.refresh()

    def blink(self, on: bool, numbers: Sequence[int]) -> None:
        """Start or stop showing two results in turn."""
        self._comparison.stop()
        if on:
            self.seeds.leave()
            self._comparison.blink(self._on_view.pair(numbers))
        else:
            self._panel.say("")
        self.refresh()

    def hold(self, down: bool, numbers: Sequence[int]) -> None:
        """Show the second of two for as long as a key is down."""
        if down and not self._comparison.running:
            self.seeds.leave()
        self._comparison.hold(down, self._on_view.pair(numbers) if down else ())
        self.refresh()

    def subtract(self, numbers: Sequence[int]) -> None:
        """Show the difference of two results."""
        self._comparison.subtract(self._on_view.pair(numbers))

    def grid(self, on: bool) -> None:
        """Show nine seeds, or leave them."""
        self.seeds.leave()
        self._comparison.stop()
        request = self._form_request() if on else None
        if request is not None:
            requests = requests_for(request)
            known = [self.history.outcome(RunInputs.of(one)) for one in requests]
            self.seeds.enter(requests, known, self._labelled())
        if not on:
            self._panel.say("")
        self.refresh()

    def _connect(self, panel: VariantsPanel) -> None:
        panel.chosen.connect(self.choose)
        panel.pin_asked.connect(self.pin)
        panel.renamed.connect(self.rename)
        panel.delete_asked.connect(self.delete)
        panel.undo_asked.connect(self.undo)
        panel.blink_asked.connect(self.blink)
        panel.held.connect(self.hold)
        panel.difference_asked.connect(self.subtract)
        panel.grid_asked.connect(self.grid)
        self.seeds.made.connect(self.keep)
        self.seeds.message.connect(panel.say)
        self.seeds.tiles.seen.connect(self.compared)

    def _came(self, variant: Variant) -> None:
        """A result is on view now."""
        self._on_view.came(variant)
        self._comparison.put_away()
        self.changed.emit()
        if not (self._comparison.running or self.seeds.active):
            self._panel.say("")

    def _show_again(self, variant: Variant) -> None:
        if variant.outcome is not None:
            self._show(variant.outcome)
            self._came(variant)

    def _stand(self, variant: Variant) -> None:
        """Put a pinned result and its labels into the viewer, and name what was added."""
        self._pins.add(variant, self._labelled())
        added = " and ".join(layer.name for layer in variant.layers)
        self._panel.say(f"Pinned {variant.name}: added {added}")
        self.refresh()

    def _unpin(self, variant: Variant) -> Sequence[Layer]:
        variant.pinned = False
        return self._pins.drop(variant)

    def _with_outcome(self, variant: Variant, act: Callable[[Variant], None]) -> None:
        """Act on a stored result at once, or once it has been computed again."""
        if variant.outcome is not None:
            act(variant)
            return
        return_layers(self._viewer, variant)
        if act != self._show_again:
            self._later[variant.number] = act
        self._panel.say(f"Computing {variant.name} again")
        self._again(variant.inputs)

    def _variants(self, numbers: Sequence[int]) -> list[Variant]:
        return [v for v in map(self.history.get, numbers) if v is not None]

    def _on_removed(self, event: Any) -> None:
        """A layer was removed; others may follow, so none is removed from here."""
        for keeper in (self._own, self._portraits, self.history):
            keeper.forget(event.value)
        self._tidying.start(0)

    def _tidy(self) -> None:
        self._comparison.tidy()
        self.seeds.tidy()
        self.refresh()

    def refresh(self) -> None:
        """Show what the history holds now."""
        self._panel.offer(entries_of(self.history))
        self._panel.set_blinking(self._comparison.running)
        self._panel.set_grid(self.seeds.active)
        self._panel.set_undoable(bool(self._deleted))
        self.changed.emit()
