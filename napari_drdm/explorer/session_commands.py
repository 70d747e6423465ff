"""Save session and Open session: asked for, done off the main thread, put into the explorer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, Signal
from qtpy.QtWidgets import QFileDialog

from napari_drdm.explorer.form import agree
from napari_drdm.explorer.remembered import place_settings
from napari_drdm.explorer.session_opening import (
    OpenedSession,
    add_layers,
    add_variants,
    read_all,
)
from napari_drdm.explorer.session_problems import ask_about
from napari_drdm.explorer.session_saving import take_session, write_draft
from napari_drdm.messages import error_line
from napari_drdm.runs.runner import BackgroundTask
from napari_drdm.sessions.folder import session_path
from napari_drdm.sessions.found_layers import LayerAnswer
from napari_drdm.settings import Remembered, load_settings, settings_from
from src_core.errors import DRDMError
from src_core.steering.targets import parse_target

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer

    from napari_drdm.explorer.form import ExplorerForm
    from napari_drdm.explorer.model_list import ModelList
    from napari_drdm.explorer.steering import Steering
    from napari_drdm.sessions.records import SessionRecord
    from napari_drdm.variants import Variants

__all__ = ["SessionCommands"]


class SessionCommands(QObject):
    """Saves and opens sessions.

    ``message(str)``: how it went; ``failed(str)``: why not, or what is not as it was;
    ``opened()``: a session is in the explorer.

    Args:
        viewer: whose layers are added.
        form: that is saved and set.
        variants: results that are saved and added.
        steering: with the targets.
        models: that have to be known before a session is opened.
    """

    message = Signal(str)
    failed = Signal(str)
    opened = Signal()

    def __init__(
        self,
        viewer: ViewerModel,
        form: ExplorerForm,
        variants: Variants,
        steering: Steering,
        models: ModelList,
    ) -> None:
        super().__init__(form)
        self._viewer, self._form, self._variants = viewer, form, variants
        self._steering, self._models = steering, models
        self._waiting: Path | None = None
        models.ready.connect(self._on_models)
        form.variants_panel.save_asked.connect(self.ask_save)
        form.variants_panel.open_asked.connect(self.ask_open)

    def ask_save(self) -> None:
        """Ask where to, then save."""
        image = self._form.sources.image.value()
        home = Path(load_settings(Remembered).export_folder or Path.home())
        offered = home / f"{image.name if image else 'session'}.drdm"
        path, _ = QFileDialog.getSaveFileName(
            self._form, "Save the session", str(offered), "Sessions (*.drdm)"
        )
        if not path:
            return
        place = session_path(path)
        if not place.exists() or agree(self._form, f"Replace the session {place.name}?"):
            self.save(place)

    def ask_open(self) -> None:
        """Ask which, then open."""
        path = QFileDialog.getExistingDirectory(self._form, "Open a session: a folder NAME.drdm")
        if path:
            self.open(path)

    def save(self, path: str | Path) -> None:
        """Save images, labels, results and settings as a folder."""
        place = session_path(path)
        try:
            targets, there = self._steering.targets(), self._viewer.layers
            draft = take_session(self._form, self._variants, targets, there)
        except DRDMError as error:
            self.failed.emit(error_line(error))
            return
        if not draft.layers:
            self.failed.emit("there is nothing to save yet: open an image first")
            return
        self.message.emit("Saving the session…")
        self._do(partial(write_draft, draft, place), partial(self._on_saved, place))

    def open(self, path: str | Path) -> None:
        """Open a session: its layers, results and settings join those that are there."""
        self._waiting = Path(path).resolve()
        if self._models.loading:
            self.message.emit("Opening the session…")
        else:
            self._on_models()

    def _on_models(self) -> None:
        path, self._waiting = self._waiting, None
        if path is not None:
            self._read(path, {})

    def _read(self, path: Path, answers: Mapping[str, LayerAnswer]) -> None:
        self.message.emit("Opening the session…")
        self._do(partial(read_all, path, answers), partial(self._on_read, answers))

    def _on_read(self, answers: Mapping[str, LayerAnswer], session: OpenedSession) -> None:
        """Ask about a layer that is not as it was, and read again; else show the session."""
        for problem in session.problems:
            answer = ask_about(self._form, problem)
            if answer is None:
                self.message.emit(f"{session.path.name} was not opened")
                return
            answers = {**answers, problem.record.id: answer}
        if session.problems:
            self._read(session.path, answers)
        elif not session.layers:
            self.failed.emit(f"{session.path.name} was not opened: none of its images is left")
        else:
            self._show(session)

    def _show(self, session: OpenedSession) -> None:
        form, record = self._form, session.record
        form.options.live.setChecked(False)  # nothing is computed while controls are set
        layers = add_layers(self._viewer, session)
        variants = add_variants(self._variants.history, session, layers)
        self._variants.refresh()
        shown = variants.get(-1 if record.form.shown is None else record.form.shown)
        self._place_form(session, layers)
        if shown is not None:
            self._variants.choose(shown.number)
        form.options.live.setChecked(bool(record.form.settings.get("live", True)))
        left = len(record.variants) - len(variants)
        self.message.emit(f"Opened {session.path.name}: {_counts(record)}")
        notes = [f"{left} results were left out with their images"] if left else []
        notes += [
            f"the model {name} of this session is not installed: import it to go on with it"
            for name in session.missing_models
        ]
        if notes:
            self.failed.emit("; ".join(notes))
        self.opened.emit()

    def _place_form(self, session: OpenedSession, layers: Mapping[str, Layer]) -> None:
        form, record = self._form, session.record.form
        settings = settings_from(Remembered, {**record.settings, "live": False})
        place_settings(form, settings)
        form.sources.image.pick(layers.get(record.image or ""))
        form.sources.labels.pick(layers.get(record.labels or ""))
        path = session.models.get(record.model.sha256) if record.model else None
        entries = [e for e in form.sources.model.values() if e.path == path]
        if entries:
            form.sources.model.pick(entries[0])
        place_settings(form, settings)  # an image or a model may have set some of them
        form.more.device.setCurrentIndex(max(0, form.more.device.findData(settings.device)))
        form.more.extras.tick([layers[i] for i in record.extras if i in layers])
        form.more.region.pick(layers.get(record.region or ""))
        self._steering.place([parse_target(text) for text in record.targets])
        for name, section in form.sections.items():
            section.set_open(name in record.sections)
        if record.search is not None:
            form.distribution.place(**record.search.model_dump())

    def _on_saved(self, path: Path, record: SessionRecord) -> None:
        self.message.emit(f"Saved {path.name}: {_counts(record)}")

    def _do(self, work: Callable[[], Any], done: Callable[[Any], None]) -> None:
        job = BackgroundTask(self)
        job.done.connect(done)
        job.failed.connect(self.failed)
        job.run(work)


def _counts(record: SessionRecord) -> str:
    layers, results = len(record.layers), len(record.variants)
    return (
        f"{layers} layer{'s' if layers != 1 else ''}, {results} result{'s' if results != 1 else ''}"
    )
