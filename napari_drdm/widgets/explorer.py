"""The dock: pick an image, a level and a seed, and see a plausible new anatomy."""

from __future__ import annotations

import sys
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from napari.layers import Shapes
from napari.utils.notifications import show_error
from qtpy.QtCore import QEvent, Signal

from napari_drdm.asking import Asking
from napari_drdm.display import ResultLayers, arrow_limit_mm
from napari_drdm.lanes import Lane
from napari_drdm.live import Live
from napari_drdm.readout import ReadoutController
from napari_drdm.requests import Viewed
from napari_drdm.suitability import describe, is_stack, model_warning
from napari_drdm.take_home import TakeHome
from napari_drdm.variants import Variants
from napari_drdm.widgets.form import ExplorerForm
from napari_drdm.widgets.memory_of_form import recall, remember
from napari_drdm.workers import Runner
from src_core.errors import DRDMError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import napari

    from napari_drdm.looks import Look
    from napari_drdm.requests import Outcome, Request
    from napari_drdm.variants import Recipe
    from src_core.library import ModelEntry

__all__ = ["DeformationExplorer"]


class DeformationExplorer(ExplorerForm):
    """Generates new cases from the chosen layers and shows them beside them.

    ``ready()``: the models are listed.

    Args:
        napari_viewer: whose layers are offered; results are added to it.
    """

    ready = Signal()

    def __init__(self, napari_viewer: napari.viewer.Viewer) -> None:
        super().__init__()
        self._viewer = napari_viewer
        self.results, self.runner = ResultLayers(napari_viewer), Runner(self)
        self.asking = Asking(napari_viewer, self, self._owns)
        self.live = Live(napari_viewer, self, self.results, self.runner, self.asking.request)
        self.variants = Variants(
            napari_viewer,
            self.variants_panel,
            show=self._show_again,
            again=self._run_again,
            present=self._present,
            generate=lambda request: self.runner.desk.run(request, Viewed()),
        )
        self.cursor = ReadoutController(napari_viewer, self._look, self.readout.show_reading)
        self.home = TakeHome(self, self._outcome)
        self._loader = Lane(lambda _: None, self)
        self._remembered, self._loading = recall(self), True
        self._connect_widgets()
        self._slots = self._viewer_slots()
        for emitter, slot in self._slots:
            emitter.connect(slot)
        parts = (self._loader, self.live, self.runner, self.variants, self.cursor)
        self.destroyed.connect(partial(_let_go, parts, self._slots))
        self.refresh_layers()
        self._list_models()

    def changeEvent(self, event: QEvent) -> None:
        """Taken out of its dock it is not seen again, and must not go on unseen."""
        if event.type() == QEvent.Type.ParentChange and self.parent() is None:
            self.runner.close()
            self.deleteLater()
        super().changeEvent(event)

    def generate(self) -> None:
        """Start a run with what the controls say; a run under way is ended first."""
        if self._loading:
            self.ready.connect(self.generate)
            return
        self._describe()
        self.run_bar.say("")
        self.live.generate()

    def cancel(self) -> None:
        """End the run after its present step, which stays on view."""
        if self.runner.busy:
            self.run_bar.say("Cancelled: the last whole step is shown, not checked for folds")
        self.live.cancel()

    def refresh_models(self, pick: str = "") -> None:
        """Read the list of models again, and pick one by its name."""
        from src_core.library import list_models

        self._offer_models(list_models(), pick)

    def refresh_layers(self, event: Any = None) -> None:
        """Offer the layers that there are now, but not those made here."""
        self.asking.offer()

    def export(self, folder: str, overwrite: bool = False) -> None:
        """Write the files of the shown result into a folder."""
        self.home.export(folder, overwrite=overwrite)

    def import_model(self, path: str) -> None:
        """Add a model file to the user's models and pick it."""
        self.home.import_model(path)

    def _list_models(self) -> None:
        """Where torch is not loaded yet, that is done off the main thread."""
        if "torch" in sys.modules:
            self._on_models(_models())
            return
        self.run_bar.say("Loading…")
        self._loader.came.connect(self._on_models)
        self._loader.submit(_models_later)

    def _on_models(self, found: tuple[list[ModelEntry], list[tuple[str, str]]]) -> None:
        entries, devices = found
        self._loading = False
        self.run_bar.say("")
        self.more.offer_devices(devices, self._remembered.device)
        self._offer_models(entries, self._remembered.model)
        self.ready.emit()

    def _offer_models(self, entries: list[ModelEntry], pick: str) -> None:
        self.sources.model.offer([(f"{e.name} ({e.spec.ndim}D)", e) for e in entries])
        chosen = [e for e in entries if e.name == pick] or entries
        self.sources.model.pick(chosen[0] if chosen else None)
        self._on_source()

    def _connect_widgets(self) -> None:
        self.sources.image.chosen.connect(self._on_image)
        self.sources.labels.chosen.connect(self._on_source)
        self.sources.model.chosen.connect(self._on_source)
        self.sources.import_asked.connect(self.home.ask_model)
        self.sources.card_asked.connect(self.home.show_card)
        self.drop.dropped.connect(self.import_model)
        self.options.changed.connect(self._on_options)
        self.more.changed.connect(self._on_options)
        self.more.region_asked.connect(self._add_region)
        self.show_panel.changed.connect(self._on_ticks)
        self.show_panel.styled.connect(self._on_ticks)
        self.run_bar.generate_asked.connect(self.generate)
        self.run_bar.cancel_asked.connect(self.cancel)
        self.run_bar.export_asked.connect(self.home.ask_export)
        self.run_bar.python_asked.connect(self.home.copy_python)
        self.run_bar.command_asked.connect(self.home.copy_command)
        self.home.said.connect(self.run_bar.say)
        self.home.failed.connect(self._fail)
        self.home.imported.connect(self.refresh_models)
        self.live.shown.connect(self._on_look)
        self.live.failed.connect(self._fail)
        self.runner.ran.connect(self.run_bar.set_running)
        self.runner.finished.connect(self._on_outcome)
        self.runner.failed.connect(self._fail)
        self.runner.told.connect(self.run_bar.say)

    def _viewer_slots(self) -> list[tuple[Any, Any]]:
        layers, dims = self._viewer.layers.events, self._viewer.dims.events
        changes = (layers.inserted, layers.removed, layers.reordered, layers.renamed)
        views = (dims.current_step, dims.ndisplay, dims.order)
        return [
            *((emitter, self.refresh_layers) for emitter in changes),
            *((emitter, self._on_view) for emitter in views),
        ]

    def _owns(self, layer: Any) -> bool:
        return self.results.owns(layer) or self.variants.owns(layer)

    def _look(self) -> Look | None:
        return self.results.look(self.sources.image.value())

    def _outcome(self) -> Outcome | None:
        return self.results.outcome(self.sources.image.value())

    def _present(self) -> Request | None:
        try:
            return self.asking.request()
        except DRDMError as error:
            self._fail(str(error))
            return None

    def _show_again(self, outcome: Outcome) -> None:
        self._place(outcome.request)
        self.live.take(outcome)

    def _run_again(self, recipe: Recipe) -> None:
        try:
            request = self.asking.again(recipe)
        except DRDMError as error:
            self._fail(str(error))
            return
        self._place(request)
        self._describe()
        self.live.again(request)

    def _place(self, request: Request) -> None:
        """Put the form where a request had it, without starting anything."""
        self.sources.image.pick(request.source)
        self.sources.labels.pick(request.labels)
        for entry in self.sources.model.values():
            if entry.path == request.model:
                self.sources.model.pick(entry)
        self.options.place(request.options.level, request.options.seed)
        self.more.place(request.options.steps, request.options.slices)

    def _on_image(self, image: Any) -> None:
        self.asking.suggest_labels()
        self._on_source()

    def _on_source(self, _: Any = None) -> None:
        """Another image, other labels or another model: their latest result is the present one."""
        stopped = self.runner.busy
        self.live.turn_to(self._look())
        self.run_bar.say("Stopped: image, labels or model were changed" if stopped else "")
        self.asking.offer_extras()
        self._describe()
        self._show_numbers()

    def _describe(self) -> None:
        """Say what the image is, and whether the model suits it."""
        entry: ModelEntry | None = self.sources.model.value()
        text, warning = "", "" if entry else "No model yet: import one."
        try:
            snapshot = self.asking.snapshot()
        except DRDMError as error:
            snapshot, text = None, str(error)
        if snapshot is not None:
            frames = len(snapshot.image) if snapshot.image.ndim == 4 else 1
            text = describe(snapshot.shape, snapshot.spacing, frames)
            if entry is not None:
                warning = model_warning(snapshot, entry.spec)
                self.more.set_stack(is_stack(snapshot, entry.spec))
        if entry is not None:
            self.options.set_levels(entry.spec.schedule.levels)
            self.more.set_levels(entry.spec.schedule.levels)
            self.more.set_default_steps(entry.spec.recovery.steps)
        self.sources.card.setEnabled(entry is not None)
        self.sources.geometry_note.setText(text)
        self.sources.model_note.setText(warning)

    def _on_options(self) -> None:
        if self.sources.image.value() is not None and self.sources.model.value() is not None:
            self.live.change()

    def _on_ticks(self, _: Any = None) -> None:
        panel = self.show_panel
        self.results.tick(self.sources.image.value(), panel.kinds(), panel.drawing())
        self.live.see()
        self._show_numbers()

    def _on_view(self, event: Any = None) -> None:
        self.results.follow()
        self.live.see()

    def _on_look(self, look: Look) -> None:
        self.cursor.refresh()
        self._show_numbers()

    def _on_outcome(self, outcome: Outcome) -> None:
        if outcome.request.source in self._viewer.layers:
            metrics = outcome.result.metrics
            self.run_bar.say(f"Done in {metrics['seconds']:.1f} s on {metrics['device']}")
            self.variants.add(outcome)
            remember(self)
        self._show_numbers()

    def _add_region(self) -> None:
        """A shapes layer over the image, ready to draw a rectangle in."""
        image = self.sources.image.value()
        if image is None:
            self._fail("open an image first")
            return
        from napari_drdm.layers import placement

        n = min(image.ndim, 3)
        shapes = Shapes(
            ndim=n, name=f"{image.name} | drdm region", face_color="#00000000",
            edge_color="#ffd24a", edge_width=2, **placement(image, n),
        )  # fmt: skip
        self._viewer.add_layer(shapes)
        shapes.mode = "add_rectangle"
        shapes.events.data.connect(self._on_region)
        self.more.region.pick(shapes)

    def _on_region(self, event: Any = None) -> None:
        if self.more.region.value() is event.source:
            self._on_options()

    def _show_numbers(self) -> None:
        outcome, look = self._outcome(), self._look()
        self.metrics.setEnabled(look is None or look.outcome is not None)
        self.run_bar.set_exportable(outcome is not None)
        self.show_panel.set_legend(None if outcome is None else arrow_limit_mm(outcome))
        if outcome is None:
            self.metrics.show_metrics(None)
            return
        labels, metrics = outcome.request.labels, outcome.result.metrics
        names = labels.metadata.get("drdm", {}).get("label_names", {}) if labels else {}
        self.metrics.show_metrics(metrics, names)
        if metrics["level"] == self.options.level.value():
            self.options.set_reach(metrics["max_percent"])

    def _fail(self, message: str) -> None:
        if message != self.run_bar.status.text():  # a drag need not tell it at every place
            show_error(message)
        self.run_bar.say(message)


def _models() -> tuple[list[ModelEntry], list[tuple[str, str]]]:
    from napari_drdm.devices import devices
    from src_core.library import list_models

    return list_models(), [(d.name, d.words) for d in devices()]


def _models_later() -> Iterator[tuple[list[ModelEntry], list[tuple[str, str]]]]:
    yield _models()


def _let_go(parts: tuple[Any, ...], slots: list[tuple[Any, Any]], *_: object) -> None:
    """End the run and stop listening to the viewer; the dock is gone already."""
    for emitter, slot in slots:
        emitter.disconnect(slot)
    for part in parts:
        with suppress(RuntimeError):  # at the very end Qt takes timers down before this
            part.close()
