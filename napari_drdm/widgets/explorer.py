"""The dock: pick an image, a level and a seed, and see a plausible new anatomy."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari.layers import Image, Labels
from napari.utils.notifications import show_error
from qtpy.QtWidgets import QFileDialog

from napari_drdm.cases import Snapshot
from napari_drdm.display import ResultLayers, arrow_limit_mm
from napari_drdm.layers import take_snapshot
from napari_drdm.suitability import describe, is_stack, labels_for, model_warning
from napari_drdm.widgets.form import ExplorerForm, agree
from napari_drdm.workers import Job, Outcome, Progress, Request, Runner
from src_core.errors import DRDMError
from src_core.generation import make_options, save_result
from src_core.library import ModelEntry, import_model, list_models

if TYPE_CHECKING:
    import napari

__all__ = ["DeformationExplorer"]


class DeformationExplorer(ExplorerForm):
    """Generates a new case from the chosen layers and shows it beside them.

    Args:
        napari_viewer: whose layers are offered; results are added to it.
    """

    def __init__(self, napari_viewer: napari.viewer.Viewer) -> None:
        super().__init__()
        self._viewer = napari_viewer
        self.results, self.runner = ResultLayers(napari_viewer), Runner(self)
        self._auto_labels = True
        self._connect_widgets()
        self._slots = self._viewer_slots()
        for emitter, slot in self._slots:
            emitter.connect(slot)
        self.destroyed.connect(partial(_let_go, self.runner, self._slots))
        self.refresh_models()
        self.refresh_layers()

    def generate(self) -> None:
        """Start a run with what the controls say; a run under way is ended first."""
        model: ModelEntry | None = self.sources.model.value()
        try:
            snapshot = self._snapshot()
            if model is None or snapshot is None:
                self._fail("choose a model first" if snapshot else "open an image first")
                return
            options = make_options(model.spec.schedule.levels, **self.options.values())
        except DRDMError as error:
            self._fail(str(error))
            return
        self._on_source()
        self.run_bar.say("")
        image, labels = self.sources.image.value(), self.sources.labels.value()
        self.runner.start(Request(snapshot, model.path, options, image, labels))

    def cancel(self) -> None:
        """End the run after its present step."""
        if self.runner.busy:
            self.run_bar.say("Cancelled")
        self.runner.cancel()

    def refresh_models(self, pick: str = "") -> None:
        """Read the list of models again."""
        entries = list_models()
        self.sources.model.offer([(f"{e.name} ({e.spec.ndim}D)", e) for e in entries])
        chosen = [e for e in entries if e.name == pick] or entries
        self.sources.model.pick(chosen[0] if chosen else None)
        self._on_source()

    def refresh_layers(self, event: Any = None) -> None:
        """Offer the layers that there are now, but not those made here."""
        layers = [layer for layer in self._viewer.layers if not self.results.owns(layer)]
        images = [(layer.name, layer) for layer in layers if _is_grey(layer)]
        labels = [(layer.name, layer) for layer in layers if isinstance(layer, Labels)]
        self.sources.labels.offer(labels)
        self.sources.image.offer(images)
        if self.sources.labels.value() is None and self._auto_labels:
            self._suggest_labels()

    def _connect_widgets(self) -> None:
        self.sources.image.chosen.connect(self._on_image)
        self.sources.labels.chosen.connect(self._on_source)
        self.sources.labels.activated.connect(self._on_labels_picked)
        self.sources.model.chosen.connect(self._on_source)
        self.sources.import_asked.connect(self._ask_model)
        self.options.level.valueChanged.connect(lambda _: self._show_numbers())
        self.show_panel.changed.connect(self._on_ticks)
        self.run_bar.generate_asked.connect(self.generate)
        self.run_bar.cancel_asked.connect(self.cancel)
        self.run_bar.export_asked.connect(self._ask_folder)
        self.runner.ran.connect(self.run_bar.set_running)
        self.runner.progressed.connect(self._on_progress)
        self.runner.finished.connect(self._on_outcome)
        self.runner.failed.connect(self._fail)

    def _viewer_slots(self) -> list[tuple[Any, Any]]:
        layers, dims = self._viewer.layers.events, self._viewer.dims.events
        changes = (layers.inserted, layers.removed, layers.reordered, layers.renamed)
        views = (dims.current_step, dims.ndisplay, dims.order)
        return [
            *((emitter, self.refresh_layers) for emitter in changes),
            *((emitter, self._on_view) for emitter in views),
        ]

    def _snapshot(self, copy: bool = True) -> Snapshot | None:
        image, labels = self.sources.image.value(), self.sources.labels.value()
        return None if image is None else take_snapshot(image, labels, copy)

    def _suggest_labels(self) -> None:
        image = self.sources.image.value()
        if image is not None:
            offered = [layer for layer in self._viewer.layers if not self.results.owns(layer)]
            self.sources.labels.pick(labels_for(image, offered))

    def _on_labels_picked(self, index: int) -> None:
        self._auto_labels = self.sources.labels.value() is not None

    def _on_image(self, image: Any) -> None:
        if self._auto_labels:
            self._suggest_labels()
        self._on_source()

    def _on_source(self, _: Any = None) -> None:
        """Say what the image is, whether the model suits it, and show its latest result."""
        entry: ModelEntry | None = self.sources.model.value()
        text, warning = "", "" if entry else "No model yet: import one."
        try:
            snapshot = self._snapshot(copy=False)
        except DRDMError as error:
            snapshot, text = None, str(error)
        if snapshot is not None:
            frames = len(snapshot.image) if snapshot.image.ndim == 4 else 1
            text = describe(snapshot.shape, snapshot.spacing, frames)
            if entry is not None:
                warning = model_warning(snapshot, entry.spec)
                self.options.set_stack(is_stack(snapshot, entry.spec))
        if entry is not None:
            self.options.set_levels(entry.spec.schedule.levels)
        self.sources.geometry_note.setText(text)
        self.sources.model_note.setText(warning)
        self._show_numbers()

    def _on_ticks(self, kinds: set[str]) -> None:
        self.results.tick(self.sources.image.value(), kinds)
        self._show_numbers()

    def _on_view(self, event: Any = None) -> None:
        self.results.follow()

    def _on_progress(self, progress: Progress) -> None:
        self.run_bar.show_step(progress.index, progress.total, progress.device)

    def _on_outcome(self, outcome: Outcome) -> None:
        if outcome.request.source not in self._viewer.layers:
            self._fail("the image was removed before its result was there")
            return
        self.results.show(outcome, self.show_panel.kinds())
        seconds = outcome.result.metrics["seconds"]
        self.run_bar.say(f"Done in {seconds:.1f} s on {outcome.result.metrics['device']}")
        self._show_numbers()

    def _show_numbers(self) -> None:
        outcome = self.results.outcome(self.sources.image.value())
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
        self.run_bar.say(message)
        show_error(message)

    def import_model(self, path: str) -> None:
        """Add a model file to the user's models and pick it."""
        job = Job(self)
        job.done.connect(lambda entry: self.refresh_models(entry.name))
        job.failed.connect(self._fail)
        job.run(partial(import_model, path))

    def export(self, folder: str, overwrite: bool = False) -> None:
        """Write the files of the shown result into a folder."""
        outcome = self.results.outcome(self.sources.image.value())
        if outcome is None:
            self._fail("there is no result to export yet")
            return
        self.run_bar.say("Exporting…")
        job = Job(self)
        job.done.connect(lambda path: self.run_bar.say(f"Exported to {path}"))
        job.failed.connect(self._fail)
        job.run(partial(save_result, outcome.result, folder, overwrite=overwrite))

    def _ask_model(self) -> None:
        path, _ = QFileDialog.getOpenFileName(
            self, "Import a model", "", "Models (*.safetensors *.pth)"
        )
        if path:
            self.import_model(path)

    def _ask_folder(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Export into a folder")
        full = bool(folder) and any(Path(folder).iterdir())
        if folder and (not full or agree(self, f"Replace files of the same name in {folder}?")):
            self.export(folder, overwrite=full)


def _is_grey(layer: Any) -> bool:
    return isinstance(layer, Image) and not layer.rgb


def _let_go(runner: Runner, slots: list[tuple[Any, Any]], *_: object) -> None:
    """End the run and stop listening to the viewer; the dock is gone already."""
    runner.cancel()
    for emitter, slot in slots:
        emitter.disconnect(slot)
