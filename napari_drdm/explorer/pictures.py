"""Films, reports and galleries: asked for, made in a worker with progress, and reported."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari.qt.threading import create_worker
from qtpy.QtCore import QObject, Qt, Signal
from qtpy.QtWidgets import QProgressDialog

from napari_drdm.explorer.form import agree
from napari_drdm.messages import error_line
from napari_drdm.runs.pictures import film_work, gallery_work, without_raising
from napari_drdm.runs.requests import Failure, RunOutcome, RunRequest
from napari_drdm.settings import Remembered, load_settings, save_settings
from napari_drdm.widgets.picture_dialog import PictureDialog
from src_core.errors import DRDMError
from src_core.errors.options import option_fields, parsed
from src_core.inspection.options import FilmOptions, GalleryOptions

if TYPE_CHECKING:
    from napari_drdm.explorer.form import ExplorerForm
    from src_core.inspection.trajectory import Trajectory

__all__ = ["PictureExport"]

_FINE = 1000


class PictureExport(QObject):
    """Makes pictures of the shown result, and galleries of the chosen image; one at a time.

    ``failed(str)``: why there is no picture; how it went is said in the form.

    Args:
        form: whose buttons start it.
        outcome: gives the shown result, or None.
        trace: gives the steps that led to a result, or None.
        request: gives the form as a request, or None where it cannot be run.
    """

    failed = Signal(str)

    def __init__(
        self,
        form: ExplorerForm,
        outcome: Callable[[], RunOutcome | None],
        trace: Callable[[RunOutcome], Trajectory | None],
        request: Callable[[], RunRequest | None],
    ) -> None:
        super().__init__(form)
        self._form, self._outcome, self._trace, self._request = form, outcome, trace, request
        self.dialog: PictureDialog | None = None
        self.progress: QProgressDialog | None = None
        self._worker: Any = None
        self._began = 0.0
        buttons = form.pictures
        buttons.film_asked.connect(self.ask_film)
        buttons.report_asked.connect(self.ask_report)
        buttons.gallery_asked.connect(self.ask_gallery)

    @property
    def busy(self) -> bool:
        """Whether a picture is being made."""
        return self._worker is not None

    def ask_film(self) -> None:
        """Ask which film of the shown result, and where to."""
        outcome = self._outcome()
        if outcome is not None:
            dialog = self._ask("Film", FilmOptions, f"{_name(outcome)}.gif", "Films (*.gif *.mp4)")
            _offer(dialog, outcome)
            dialog.chosen.connect(partial(self._make_film, outcome))

    def ask_report(self) -> None:
        """Ask where the report of the shown result goes."""
        outcome = self._outcome()
        if outcome is not None:
            dialog = self._ask("Report", None, f"{_name(outcome)}.html", "Pages (*.html)")
            dialog.chosen.connect(partial(self._make_report, outcome))

    def ask_gallery(self) -> None:
        """Ask for seeds and levels of the chosen image."""
        request = self._request()
        if request is not None:
            name = f"{_plain(request.snapshot.name)}-gallery"
            dialog = self._ask("Gallery", GalleryOptions, name, "")
            dialog.chosen.connect(self._make_gallery)

    def cancel(self) -> None:
        """End at the next step; nothing is written."""
        if self._worker is not None:
            self._worker.quit()
            self._end("Cancelled: nothing was written")

    def close(self) -> None:
        """End for good."""
        if self._worker is not None:
            self._worker.quit()
            self._worker = None

    def _ask(self, title: str, options: type | None, name: str, files: str) -> PictureDialog:
        known = option_fields(options).values() if options else ()
        home = Path(load_settings(Remembered).export_folder or Path.home())
        self.dialog = PictureDialog(
            self._form, title, [*known], home / name, files=files, agree=agree
        )
        self.dialog.open()
        return self.dialog

    def _make_film(self, outcome: RunOutcome, path: Path, values: dict[str, Any]) -> None:
        trace = self._trace(outcome)
        work = partial(film_work, outcome, trace, FilmOptions(**values), path)
        self._start("film", path, work)

    def _make_report(self, outcome: RunOutcome, path: Path, _: dict[str, Any]) -> None:
        labels = outcome.request.labels
        known = labels.metadata.get("drdm", {}).get("label_names", {}) if labels else {}
        names = {int(value): str(name) for value, name in known.items()}
        self._start("report", path, partial(_report_work, outcome, path, names))

    def _make_gallery(self, path: Path, values: dict[str, Any]) -> None:
        request = self._request()
        if request is None:
            return
        try:
            options = GalleryOptions(**parsed(option_fields(GalleryOptions), values))
        except DRDMError as error:
            self.failed.emit(error_line(error))
            return
        self._start("gallery", path, partial(gallery_work, request, options, path, True))

    def _start(self, what: str, path: Path, work: Callable[[], Iterator[Any]]) -> None:
        self.cancel()
        self._remember(path)
        self._began = time.monotonic()
        progress = QProgressDialog(f"Making the {what}…", "Cancel", 0, 0, self._form)
        progress.setWindowTitle(what.capitalize())
        progress.setWindowModality(Qt.WindowModality.NonModal)
        progress.setMinimumWidth(360)
        progress.setAutoClose(False)
        progress.setAutoReset(False)
        progress.canceled.connect(self.cancel)
        progress.show()
        self.progress = progress
        worker = create_worker(without_raising, work, _start_thread=False)
        worker.yielded.connect(lambda value: self._on_step(worker, value))
        worker.finished.connect(lambda: self._on_end(worker, f"Saved {path}"))
        self._worker = worker
        worker.start()

    def _on_step(self, worker: Any, step: Any) -> None:
        if worker is not self._worker or self.progress is None:
            return
        if isinstance(step, Failure):
            self._end("")
            self.failed.emit(step.message)
            return
        spent = time.monotonic() - self._began
        left = spent / step.done * (step.total - step.done) if step.done else None
        words = "" if left is None else f", {left:.0f} s left"
        self.progress.setLabelText(f"{step.words}: {step.done} of {step.total}{words}")
        self.progress.setMaximum(_FINE)
        self.progress.setValue(round(_FINE * step.done / max(step.total, 1)))

    def _on_end(self, worker: Any, words: str) -> None:
        if worker is self._worker:
            self._end(words)

    def _end(self, words: str) -> None:
        self._worker = None
        progress, self.progress = self.progress, None
        if progress is not None:
            progress.canceled.disconnect()
            progress.close()
            progress.deleteLater()
        self._form.run_bar.say(words)

    def _remember(self, path: Path) -> None:
        remembered = load_settings(Remembered)
        save_settings(remembered.model_copy(update={"export_folder": str(path.parent)}))


def _report_work(outcome: RunOutcome, path: Path, names: dict[int, str]) -> Iterator[Any]:
    from src_core.inspection.film_steps import FilmStep
    from src_core.inspection.report import save_report

    yield FilmStep(0, 1, "drawing")
    save_report(outcome.result, path, names=names)


def _offer(dialog: PictureDialog, outcome: RunOutcome) -> None:
    """Films that there can be: a cine of several frames, a recovery above level 0."""
    box = dialog.form.controls["kind"].widget
    frames = outcome.result.case.images[0].frames
    impossible = [] if frames > 1 else ["cine"]
    if not outcome.request.options.level:
        impossible += ["recovery", "levels"]
    for kind in impossible:
        box.model().item(box.findData(kind)).setEnabled(False)
    if box.currentData() in impossible:
        box.setCurrentIndex(box.findData("flicker"))


def _name(outcome: RunOutcome) -> str:
    metrics = outcome.result.metrics
    return f"{_plain(outcome.result.source.name)}-L{metrics['level']}-S{metrics['seed']}"


def _plain(name: str) -> str:
    from src_core.recipes.snippets import plain_name

    return plain_name(name)
