"""The dock for a whole data set: choose it, levels and a folder, and let it run."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari.qt.threading import create_worker
from napari.utils.notifications import show_error
from qtpy.QtCore import Qt, QTimer, QUrl
from qtpy.QtGui import QDesktopServices, QKeySequence
from qtpy.QtWidgets import QShortcut

from napari_drdm.batch.form import BatchForm
from napari_drdm.batch.outlook import Outlook, outlook
from napari_drdm.batch.request import missing, request_of
from napari_drdm.batch.run import BatchEnd, BatchUpdate, RunControl, in_time, run_batch
from napari_drdm.messages import error_line
from napari_drdm.runs.models_found import ModelsFound, find_models
from napari_drdm.runs.runner import BackgroundTask
from napari_drdm.settings import RememberedBatch, load_settings, save_settings
from napari_drdm.widgets.dock_place import OURS, share_place
from napari_drdm.widgets.still_controls import finish_typing
from src_core.errors import DRDMError

if TYPE_CHECKING:
    import napari

    from src_core.augment import Request
    from src_core.models.library import ModelEntry

__all__ = ["BatchAugmentation"]

_REST_MS = 300


class BatchAugmentation(BatchForm):
    """Makes new cases of a labelled data set, in the background.

    Args:
        napari_viewer: gets the contact sheet, where that is asked for.
    """

    def __init__(self, napari_viewer: napari.viewer.Viewer) -> None:
        super().__init__()
        self._viewer = napari_viewer
        self._worker: Any = None
        self._control = RunControl()
        self._sheet: Path | None = None
        self._summary: Path | None = None
        self._kept = load_settings(RememberedBatch)
        self.place(self._kept.model_dump())
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(_REST_MS)
        self._rest.timeout.connect(self._look_ahead)
        self._asked = 0
        for panel in (self.fields, self.filters, self.more):
            panel.changed.connect(self._on_changed)
        self.start_asked.connect(self.run)
        self.pause_asked.connect(self.hold)
        self.cancel_asked.connect(self.stop)
        self.open_asked.connect(self.open_sheet)
        self.summary_asked.connect(self.open_summary)
        for keys, button in (("Ctrl+Return", self.start), ("Esc", self.cancel)):
            shortcut = QShortcut(QKeySequence(keys), self)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(finish_typing)
            shortcut.activated.connect(button.click)
        self._runs: list[tuple[Any, RunControl]] = []
        self.destroyed.connect(partial(_let_go, self._runs))
        self.setObjectName(OURS)
        QTimer.singleShot(0, partial(share_place, self))
        self.refresh_models()

    @property
    def busy(self) -> bool:
        """Whether a run is under way."""
        return self._worker is not None

    def refresh_models(self) -> None:
        """Read the list of models again; the controls wait for it, not the window."""
        self.block_start("The models are still being read, please wait")
        job = BackgroundTask(self)
        job.done.connect(self._offer)
        job.failed.connect(self._on_no_models)
        job.run(_models)

    def run(self) -> None:
        """Start what the fields say; a folder that holds the same run is resumed."""
        if not self.start.isEnabled():
            return
        try:
            request = self._request()
        except DRDMError as error:
            self._fail(error_line(error))
            return
        entry: ModelEntry = self.fields.model.value()
        self._remember(entry)
        self._control = RunControl()
        device = self.more.values()["device"]
        worker = create_worker(
            run_batch, request, entry.path, self._control, device, _start_thread=False
        )
        worker.yielded.connect(self._on_update)
        worker.returned.connect(self._on_end)
        worker.finished.connect(self._on_finished)
        self._worker = worker
        self._runs[:] = [(worker, self._control)]
        self.clear()
        self.set_running(True)
        self.show_progress(0, 0, "preparing")
        worker.start()

    def hold(self, paused: bool) -> None:
        """Wait after the current step, or go on."""
        self._control.pause(paused)
        self.set_paused(paused)
        self.status.setText(f"Pausing after {self._current()}…" if paused else "")

    def stop(self) -> None:
        """End after the current step; whole cases stay."""
        if self.busy:
            self.status.setText(f"Stopping after {self._current()}…")
        self._control.end()

    def open_summary(self) -> None:
        """Show the page about the run in the browser."""
        if self._summary is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._summary)))

    def open_sheet(self) -> None:
        """Add the contact sheet to the viewer."""
        if self._sheet is not None and self._sheet.is_file():
            from matplotlib.image import imread

            pixels = imread(self._sheet)[..., :3]
            self._viewer.add_image(pixels, name="contact sheet", rgb=True, interpolation2d="linear")

    def _offer(self, found: ModelsFound) -> None:
        entries = found.models
        self.more.offer_devices(found.devices, self._kept.device)
        self.fields.model.offer([(f"{e.name} ({e.spec.ndim}D)", e) for e in entries])
        self.fields.model.pick(next((e for e in entries if e.name == self._kept.model), None))
        self.block_start("")
        self._on_changed()

    def _on_no_models(self, why: str) -> None:
        self.block_start(f"The models cannot be read: {why}")
        self._fail(why)

    def _remember(self, entry: ModelEntry) -> None:
        values = {**self.values(), "model": entry.name}
        values |= {name: str(values[name]) for name in ("dataset", "out")}
        self._kept = RememberedBatch(**values)
        save_settings(self._kept)

    def _request(self) -> Request:
        """What the fields ask for.

        Raises:
            InputError: something is missing, or not possible.
        """
        return request_of(self.values(), self.fields.model.value())

    def _current(self) -> str:
        return "the current cases" if self.more.values()["workers"] > 1 else "the current step"

    def _paused(self) -> str:
        several = self.more.values()["workers"] > 1
        return "Paused; workers still finish their cases" if several else "Paused"

    def _on_changed(self) -> None:
        entry: ModelEntry | None = self.fields.model.value()
        if entry is not None:
            self.more.set_model(entry.spec.schedule.levels, entry.spec.recovery.steps)
        self._rest.start()

    def _look_ahead(self) -> None:
        """Report what Start would make, or what is still wrong."""
        self._asked += 1
        if self.busy or missing(self.values(), self.fields.model.value()):
            self.outlook.setText("" if self.busy else self.waiting)
            return
        try:
            request = self._request()
        except DRDMError as error:
            self.outlook.setText(error_line(error))
            return
        job, turn = BackgroundTask(self), self._asked
        job.done.connect(lambda found: self._on_outlook(turn, found))
        job.failed.connect(lambda why: self._on_outlook(turn, Outlook(why)))
        job.run(partial(outlook, request, self.fields.model.value().path))

    def _on_outlook(self, turn: int, found: Outlook) -> None:
        if turn == self._asked:
            self.outlook.setText("\n".join([found.text, *found.notes]))

    def _on_update(self, update: BatchUpdate) -> None:
        if update.message:
            self.add_to_log(update.message)
        if not update.total:
            return
        if update.waiting and self._control.paused:
            when = ", paused"
            self.status.setText(self._paused())
        else:
            left = update.seconds_left
            when = "" if left is None else f", {in_time(left)} left"
        self.show_progress(update.done, update.total, f"{update.done} of {update.total}{when}")

    def _on_end(self, ended: BatchEnd) -> None:
        self._sheet, self._summary = ended.sheet, ended.summary
        self.show_reports(ended.sheet, ended.summary)
        if ended.error:
            self._fail(ended.error)
        else:
            text = ended.text()
            self.status.setText(text[0].upper() + text[1:])

    def _on_finished(self) -> None:
        self._worker = None
        self._runs.clear()
        self.set_running(False)
        done, total = self.progress.value(), self.progress.maximum()
        self.show_progress(done, max(1, total), f"{done} of {total}" if total else "")
        self._rest.start()

    def _fail(self, message: str) -> None:
        self.status.setText(message)
        show_error(message)


def _let_go(runs: list[tuple[Any, RunControl]], *_: object) -> None:
    """End the run; the dock is gone already."""
    for worker, control in runs:
        control.end()
        worker.quit()


def _models() -> ModelsFound:
    """The models and devices there are; imports what a run needs on the way."""
    import src_core.augment  # noqa: F401

    return find_models()
