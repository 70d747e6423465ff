"""The deformation explorer: choose image, level and seed, and see a plausible new anatomy."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from napari.utils.notifications import show_error
from qtpy.QtCore import QEvent, QTimer

from napari_drdm.explorer.assistants import assist
from napari_drdm.explorer.export import ResultExport
from napari_drdm.explorer.form import ExplorerForm
from napari_drdm.explorer.form_texts import describe_choice, show_numbers
from napari_drdm.explorer.live_preview import LivePreview
from napari_drdm.explorer.model_list import ModelList
from napari_drdm.explorer.pictures import PictureExport
from napari_drdm.explorer.readout import ReadoutController
from napari_drdm.explorer.region import RegionDrawing
from napari_drdm.explorer.remembered import recall, remember
from napari_drdm.explorer.request_of_form import FormReader
from napari_drdm.explorer.result_layers import ResultLayers
from napari_drdm.explorer.session_commands import SessionCommands
from napari_drdm.explorer.source_layers import SourceFollower
from napari_drdm.explorer.steering import Steering
from napari_drdm.explorer.viewer_events import disconnect, viewer_slots
from napari_drdm.layers.snapshots import is_result
from napari_drdm.layers.viewer_state import viewer_state
from napari_drdm.messages import error_line
from napari_drdm.runs.runner import Runner
from napari_drdm.variants import Distribution, History, Variants
from napari_drdm.variants.search import SeedSearch
from napari_drdm.widgets.dock_place import OURS, share_place
from src_core.errors import DRDMError

if TYPE_CHECKING:
    import napari

    from napari_drdm.runs.moments import Moment
    from napari_drdm.runs.requests import RunOutcome, RunRequest
    from napari_drdm.variants import RunInputs

__all__ = ["DeformationExplorer"]

_MEGABYTE = 2**20


class DeformationExplorer(ExplorerForm):
    """Generates new cases from the chosen layers and shows them as further layers.

    Args:
        napari_viewer: its layers can be chosen, and results are added to it.
    """

    def __init__(self, napari_viewer: napari.viewer.Viewer) -> None:
        super().__init__()
        self._viewer, self._generate_when_ready = napari_viewer, False
        self.results, self.runner = ResultLayers(napari_viewer), Runner(self)
        self.steering = Steering(napari_viewer, self, self._moment, self._outcome)
        self.form_reader = FormReader(napari_viewer, self, self._owns, self.steering.targets)
        self.region = RegionDrawing(self.more, self.form_reader.add_region)
        self.live = LivePreview(
            napari_viewer, self, self.results, self.runner, self.form_reader.request
        )
        self.follower = SourceFollower(napari_viewer, self, self.results, self.live)
        self.variants = Variants(
            napari_viewer,
            self.variants_panel,
            show=self._show_again,
            again=self._run_again,
            form_request=self._form_request,
            generate=self.runner.aside,
            labelled=self.show_panel.boxes["labels"].isChecked,
            history=viewer_state(napari_viewer, "history", History),
        )
        self.sizes = Distribution(
            self.distribution,
            self.variants,
            SeedSearch(self.runner.aside),
            self._form_request,
            self._run_again,
        )
        self.reader = ReadoutController(napari_viewer, self._moment, self.readout.show_reading)
        self.exporter = ResultExport(self, self._outcome, self._moment)
        trace, asked = self.runner.compute.trace, self._form_request
        self.picture_export = PictureExport(self, self._outcome, trace, asked)
        self._compared: RunOutcome | None = None
        self.models = ModelList(self, recall(self))
        renamed = self.sizes.rename, self.steering.rename, self._show_numbers
        assist(napari_viewer, self, self.form_reader, self.runner, self._outcome, renamed)
        kept = self.variants, self.steering, self.models
        self.sessions = SessionCommands(napari_viewer, self, *kept)
        self._turning = QTimer(self)
        self._turning.setSingleShot(True)
        self._turning.timeout.connect(lambda: self.results.turn_to(self.sources.image.value()))
        self._connect_widgets()
        self._share_memory()
        self._slots = viewer_slots(napari_viewer, self.refresh_layers, self._on_view)
        parts = (self.models, self.live, self.runner, self.steering, self.variants, self.sizes)
        ended = (*parts, self.reader, self.results, self.follower, self.picture_export)
        self.destroyed.connect(partial(disconnect, ended, self._slots))
        self.refresh_layers()
        self.setObjectName(OURS)
        QTimer.singleShot(0, partial(share_place, self))
        self.run_bar.say("Loading…")
        self.models.load()

    def changeEvent(self, event: QEvent | None) -> None:
        """End the run when the widget is taken out of its dock: it is not shown again."""
        if event and event.type() == QEvent.Type.ParentChange and self.parent() is None:
            self.runner.close()
            self.deleteLater()
        super().changeEvent(event)

    def generate(self) -> None:
        """Start a run with the values of the controls; a run in progress is ended first."""
        if self.models.loading:
            self._generate_when_ready = True
            return
        self._describe()
        self.run_bar.say("")
        self.live.generate()

    def cancel(self) -> None:
        """End the run after its current step, which stays on view."""
        if self.runner.busy:
            self.run_bar.say("Cancelled: the last whole step is shown, not checked for folds")
        self.live.cancel()

    def refresh_layers(self, event: Any = None) -> None:
        """Offer the viewer's present layers, except those that the explorer made."""
        self.form_reader.offer()

    def export(self, folder: str, overwrite: bool = False) -> None:
        """Write the files of the shown result into a folder."""
        self.exporter.export(folder, overwrite=overwrite)

    def import_model(self, path: str) -> None:
        """Add a model file to the user's models and select it."""
        self.exporter.import_model(path)

    def _connect_widgets(self) -> None:
        self.follower.moved.connect(self._describe)
        self.sources.image.chosen.connect(self._on_image)
        for other in (self.sources.labels.chosen, self.sources.model.chosen, self.models.offered):
            other.connect(self._on_source)
        self.sources.import_asked.connect(self.exporter.ask_model)
        self.sources.card_asked.connect(self.exporter.show_card)
        self.drop.dropped.connect(self.import_model)
        for changing in (self.options, self.more, self.region, self.steering):
            changing.changed.connect(self._on_options)
        self.more.memory_changed.connect(self._share_memory)
        self.more.offer_results.toggled.connect(self.refresh_layers)
        self.steering.pulled.connect(self.live.pull)
        self.steering.started.connect(self._on_drag)
        self.show_panel.changed.connect(self._on_ticks)
        self.show_panel.styled.connect(self._on_ticks)
        self.run_bar.generate_asked.connect(self.generate)
        self.run_bar.cancel_asked.connect(self.cancel)
        self.exporter.asked.connect(self.variants.leave_comparisons)
        self.exporter.finish_asked.connect(self.live.take)
        self.exporter.message.connect(self.run_bar.say)
        self.exporter.imported.connect(self.models.refresh)
        self.variants.compared.connect(self._on_compared)
        self.sessions.message.connect(self.variants_panel.say)
        self.models.ready.connect(self._on_ready)
        self.live.shown.connect(self._on_moment)
        self.runner.ran.connect(self._on_ran)
        self.runner.finished.connect(self._on_outcome)
        self.runner.message.connect(self.run_bar.say)
        able_to_fail = self.region, self.steering, self.exporter, self.live, self.runner
        for part in (*able_to_fail, self.sessions, self.picture_export):
            part.failed.connect(self._fail)

    def _owns(self, layer: Any) -> bool:
        return self.results.owns(layer) or self.variants.owns(layer) or is_result(layer)

    def _moment(self) -> Moment | None:
        return self.results.moment(self.sources.image.value())

    def _outcome(self) -> RunOutcome | None:
        return self.results.outcome(self.sources.image.value())

    def _form_request(self) -> RunRequest | None:
        try:
            return self.form_reader.request()
        except DRDMError as error:
            self._fail(error_line(error))
            return None

    def _show_again(self, outcome: RunOutcome) -> None:
        self._place(outcome.request)
        self.live.take(outcome)

    def _run_again(self, inputs: RunInputs) -> None:
        try:
            request = self.form_reader.again(inputs)
        except DRDMError as error:
            self._fail(error_line(error))
            return
        self._place(request)
        self._describe()
        self.live.again(request)

    def _place(self, request: RunRequest) -> None:
        """Set the form to the values of a request, without starting a run."""
        self.form_reader.place(request)
        self.steering.place(request.options.targets)

    def _on_image(self, image: Any) -> None:
        self._turning.start()  # not while napari removes layers
        self.form_reader.suggest_labels()
        self._on_source()

    def _on_source(self, _: Any = None) -> None:
        """Another image, other labels or another model: their latest result is the current one."""
        stopped = self.runner.busy
        self.live.turn_to(self._moment())
        self.variants.follow(self._moment())
        self.run_bar.say("Stopped: the image, labels or model changed" if stopped else "")
        self.form_reader.offer_extras()
        image, labels, entry = (x.value() for x in self.sources.choices)
        self.sizes.turn_to(image, labels)
        self.steering.turn_to(image, labels, entry.spec.ndim if entry else 2)
        self._describe()
        self._show_numbers()

    def _on_ready(self) -> None:
        if self._generate_when_ready:
            self.generate()

    def _describe(self) -> None:
        describe_choice(self, self.form_reader.snapshot)

    def _on_options(self) -> None:
        if self.sources.image.value() is not None and self.sources.model.value() is not None:
            self.live.change()

    def _on_drag(self) -> None:
        """Points are taken of a picture: there has to be one, and only one."""
        self.variants.grid(False)
        self.runner.get_ready()
        if self._outcome() is None:
            self.generate()

    def _on_ticks(self, _: Any = None) -> None:
        panel = self.show_panel
        self.results.tick(self.sources.image.value(), panel.kinds(), panel.drawing())
        self.live.see()
        self._show_numbers()

    def _on_view(self, event: Any = None) -> None:
        self.results.follow()
        self.live.see()

    def _on_moment(self, moment: Moment) -> None:
        self.variants.see(moment.request)
        self.steering.drag.refresh()
        self._show_numbers()

    def _on_outcome(self, outcome: RunOutcome) -> None:
        if outcome.request.source in self._viewer.layers:
            metrics = outcome.result.metrics
            self.run_bar.say(f"Done in {metrics['seconds']:.1f} s on {metrics['device']}")
            self.variants.add(outcome)
            kept = self.runner.compute.runs.nbytes + self.variants.history.bytes
            self.more.show_used(kept / _MEGABYTE)
            remember(self)
        self._show_numbers()

    def _on_ran(self, running: bool) -> None:
        self.run_bar.set_running(running)
        if running:
            self.run_bar.say("")
        else:
            self.variants.follow(self._moment())

    def _share_memory(self, _: int = 0) -> None:
        """Half of the memory for steps of runs, half for results; many results are in both."""
        half = self.more.memory.value() * _MEGABYTE // 2
        self.runner.compute.runs.set_limit(half)
        self.variants.history.set_limit(half)

    def _on_compared(self, outcome: RunOutcome | None) -> None:
        """One of two, or of nine, is seen: its numbers are shown."""
        self._compared = outcome
        self._show_numbers()

    def _show_numbers(self) -> None:
        if self._compared is not None:
            show_numbers(self, self._compared, None)
            return
        self.reader.refresh()
        show_numbers(self, self._outcome(), self._moment())
        self.steering.show()

    def _fail(self, message: str) -> None:
        if message != self.run_bar.status.text():  # one notification while the slider is dragged
            show_error(message)
        self.run_bar.say(message)
