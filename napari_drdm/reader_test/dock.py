"""The dock of reader tests: prepare one, let readers answer, show the results."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari.qt.threading import create_worker
from qtpy.QtCore import QTimer

from napari_drdm.messages import error_line
from napari_drdm.reader_test.form import ReaderTestForm
from napari_drdm.reader_test.preparing import (
    PreparationEnd,
    prepare_test,
    request_of,
    results_of,
)
from napari_drdm.reader_test.reading_window import ReadingWindow
from napari_drdm.reader_test.results_dialog import ResultsDialog
from napari_drdm.runs.models_found import ModelsFound, find_models
from napari_drdm.runs.runner import BackgroundTask
from napari_drdm.widgets.dock_place import OURS, share_place
from src_core.errors import DRDMError
from src_core.errors.options import option_field
from src_core.models.options import ModelOptions
from src_core.tasks.reader.answers import read_answers
from src_core.tasks.reader.plan import ANSWERS, PLAN, ReadingPlan, read_plan
from src_core.tasks.reader.reading import ReadingProgress

if TYPE_CHECKING:
    import napari

    from src_core.experiments.records import StageProgress

__all__ = ["ReaderTest"]

_REST_MS = 300


class ReaderTest(ReaderTestForm):
    """Prepares and shows reader tests; the viewer's layers play no part.

    Args:
        napari_viewer: whose theme the reading window has.

    Attributes:
        window_of_reader: where a reader is at a test, or None.
        results: their window, or None.
    """

    def __init__(self, napari_viewer: napari.viewer.Viewer) -> None:
        super().__init__()
        self._viewer = napari_viewer
        self.window_of_reader: ReadingWindow | None = None
        self.results: ResultsDialog | None = None
        self._workers: list[Any] = []
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(_REST_MS)
        self._rest.timeout.connect(self.look)
        self.folder_changed.connect(self._rest.start)
        self.start_asked.connect(self.read)
        self.report_asked.connect(self.show_results)
        self.prepare_asked.connect(self.make)
        self.cancel_asked.connect(self.stop)
        self.destroyed.connect(partial(_let_go, self._workers))
        self.setObjectName(OURS)
        QTimer.singleShot(0, partial(share_place, self))
        self._offer_models()
        self.look()

    @property
    def busy(self) -> bool:
        """Whether a test is being prepared."""
        return bool(self._workers)

    @property
    def test_folder(self) -> Path:
        """The folder that is chosen."""
        return Path(self.folder.text().strip()).expanduser()

    def look(self) -> None:
        """Show what the folder holds, and what can be done with it."""
        chosen, plan, why = bool(self.folder.text().strip()), None, ""
        if chosen and (self.test_folder / PLAN).is_file():
            try:
                plan = read_plan(self.test_folder)
            except DRDMError as error:
                why = error_line(error)
        self.start.setEnabled(plan is not None and bool(self.reader.text().strip()))
        self.report.setEnabled(plan is not None)
        self.prepare.setEnabled(chosen and not self.busy and plan is None)
        none = "No test in this folder yet." if chosen else ""
        self.about.setText(_about(plan, self.test_folder) if plan else why or none)

    def read(self) -> None:
        """Open the window for the reader; one window at a time."""
        if self.window_of_reader is not None:
            self.window_of_reader.raise_()
            self.window_of_reader.activateWindow()
            return
        try:
            progress = ReadingProgress(self.test_folder, self.reader.text())
        except DRDMError as error:
            self.status.setText(error_line(error))
            return
        self.status.setText("")
        if self.results is not None:
            self.results.close()
        window = ReadingWindow(progress, self)
        window.progressed.connect(self._rest.start)
        window.closed.connect(self._on_closed)
        self.window_of_reader = window
        window.show()

    def show_results(self) -> None:
        """Report all answers to the test."""
        job = BackgroundTask(self)
        job.done.connect(self._on_results)
        job.failed.connect(self.status.setText)
        job.run(partial(results_of, self.test_folder))

    def make(self) -> None:
        """Prepare a test in the folder."""
        if self.busy:
            return
        try:
            request = request_of({**self.fields.values(), "out": self.folder.text().strip()})
        except DRDMError as error:
            self.status.setText(error_line(error))
            return
        self.status.setText("")
        worker = create_worker(prepare_test, request, _start_thread=False)
        worker.yielded.connect(self._on_step)
        worker.returned.connect(self._on_end)
        worker.finished.connect(self._on_finished)
        self._workers.append(worker)
        self.set_preparing(True)
        self.look()
        worker.start()

    def stop(self) -> None:
        """End the preparation after the current picture."""
        for worker in self._workers:
            worker.quit()
        if self.busy:
            self.status.setText("Stopping after the current picture…")

    def _on_step(self, step: StageProgress) -> None:
        self.show_progress(step.done, step.total)

    def _on_end(self, ended: PreparationEnd | None) -> None:
        self.status.setText(ended.error if ended else "")

    def _on_finished(self) -> None:
        self._workers.clear()
        self.set_preparing(False)
        if self.status.text().startswith("Stopping"):
            self.status.setText("Stopped: Prepare continues.")
        self.look()

    def _on_results(self, tables: str) -> None:
        self.status.setText("")
        if self.results is not None:
            self.results.close()
        self.results = ResultsDialog(self, tables)
        self.results.show()

    def _on_closed(self) -> None:
        self.window_of_reader = None
        self.look()

    def _offer_models(self) -> None:
        job = BackgroundTask(self)
        job.done.connect(self._on_models)
        job.failed.connect(self.status.setText)
        job.run(find_models)

    def _on_models(self, found: ModelsFound) -> None:
        models = self.fields.model
        models.offer([(f"{e.name} ({e.spec.ndim}D)", e) for e in found.models])
        default = option_field(ModelOptions, "model").default
        models.pick(next((e for e in found.models if e.name == default), None))


def _about(plan: ReadingPlan, folder: Path) -> str:
    """Questions of a test, and how many each reader answered."""
    kind = "pairs" if plan.mode == "choice" else "single images"
    found = []
    for path in sorted((folder / ANSWERS).glob("*.csv")):
        try:
            answers = read_answers(path)
        except DRDMError:
            continue
        found += [f"{answers[0].reader} {len(answers)}"] if answers else []
    readers = f" Answered: {', '.join(found)}." if found else " No answers yet."
    return f"{len(plan.questions)} questions, {kind}.{readers}"


def _let_go(workers: list[Any], *_: object) -> None:
    """End the preparation; the dock is gone already."""
    for worker in workers:
        worker.quit()
