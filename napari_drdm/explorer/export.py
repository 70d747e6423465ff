"""Exports and copied texts of a result, and models that are imported."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, Signal
from qtpy.QtWidgets import QApplication, QFileDialog

from napari_drdm.explorer.form import agree
from napari_drdm.layers.label_names import label_names
from napari_drdm.messages import error_line
from napari_drdm.runs.runner import BackgroundTask
from napari_drdm.settings import Remembered, load_settings, save_settings
from napari_drdm.widgets.card_dialog import CardDialog
from napari_drdm.widgets.export_dialog import ExportDialog, ExportPlan, free_folder, mismatch
from src_core.errors import InputError

if TYPE_CHECKING:
    from napari_drdm.explorer.form import ExplorerForm
    from napari_drdm.runs.moments import Moment
    from napari_drdm.runs.requests import RunOutcome
    from src_core.generation import Result

__all__ = ["ResultExport"]


class ResultExport(QObject):
    """Exports and copies the shown result, shows cards and imports models.

    ``message(str)``: how it went; ``failed(str)``: why not; ``imported(str)``: a model's name.
    ``asked()``: what is shown is about to be exported; ``finish_asked(RunOutcome)``: the end of the
    run has to be shown for that, instead of a step of it.

    Args:
        form: whose buttons start it.
        outcome: gives the latest result, or None.
        moment: gives what is on view, or None.
    """

    message = Signal(str)
    failed = Signal(str)
    imported = Signal(str)
    asked = Signal()
    finish_asked = Signal(object)

    def __init__(
        self,
        form: ExplorerForm,
        outcome: Callable[[], RunOutcome | None],
        moment: Callable[[], Moment | None],
    ) -> None:
        super().__init__(form)
        self._form, self._outcome, self._moment = form, outcome, moment
        self._exported: dict[str, Path] = {}
        self.dialog: Any = None
        form.run_bar.export_asked.connect(self.ask_export)
        form.run_bar.python_asked.connect(self.copy_python)
        form.run_bar.command_asked.connect(self.copy_command)

    def ask_export(self) -> None:
        """Ask what to export and where; what is shown then is what is written."""
        outcome = self._shown("export")
        if outcome is None:
            return
        try:
            asked = self._form.values()
        except InputError as error:
            self.failed.emit(error_line(error))
            return
        metrics, entry = outcome.result.metrics, self._form.sources.model.value()
        home = Path(load_settings(Remembered).export_folder or Path.home())
        name = outcome.result.source.name
        self.dialog = ExportDialog(
            self._form,
            free_folder(home, name, metrics["level"], metrics["seed"]),
            labels=bool(outcome.result.case.labels),
            warning=mismatch(
                outcome.result.recipe,
                asked,
                entry.name if entry else "",
            ),
            agree=agree,
        )
        self.dialog.chosen.connect(partial(self._export, outcome.result))
        self.dialog.open()

    def export(self, folder: str | Path, overwrite: bool = False) -> None:
        """Write all files of the shown result into a folder."""
        outcome = self._shown("export")
        if outcome is None:
            return
        from src_core.io.case_files import PARTS

        plan = ExportPlan(Path(folder), frozenset(PARTS), "itk", overwrite)
        self._export(outcome.result, plan)

    def copy_python(self) -> None:
        """A script that makes the shown result, into the clipboard."""
        from src_core.recipes.snippets import python_text

        self._copy(python_text, "Copied as Python")

    def copy_command(self) -> None:
        """A command that makes the shown result, into the clipboard."""
        from src_core.recipes.snippets import command_text

        self._copy(command_text, "Copied as a command")

    def show_card(self) -> None:
        """The card of the chosen model."""
        entry = self._form.sources.model.value()
        if entry is not None:
            self.dialog = CardDialog(self._form, entry)
            self.dialog.open()

    def ask_model(self) -> None:
        """Ask for a model's file."""
        path, _ = QFileDialog.getOpenFileName(
            self._form, "Import a model", "", "Models (*.safetensors *.pth)"
        )
        if path:
            self.import_model(path)

    def import_model(self, path: str) -> None:
        """Add a model file to the user's models."""
        from src_core.models.library import import_model

        self._do(partial(import_model, path), lambda entry: self.imported.emit(entry.name))

    def _shown(self, verb: str) -> RunOutcome | None:
        """The result on view: what is shown is what is exported, or nothing is.

        Of a run that is through, its end is brought on view; a run that was cancelled has none.
        """
        self.asked.emit()
        outcome, moment = self._outcome(), self._moment()
        if outcome is None or moment is None:
            self.failed.emit(f"there is no result to {verb} yet")
        elif moment.outcome is not None:
            return outcome
        elif moment.request.serial == outcome.request.serial:
            self.finish_asked.emit(outcome)
            return outcome
        else:
            self.failed.emit(
                f"what is on view is not a finished result, so there is nothing to {verb}: press "
                "Generate to finish it, or choose a result in Variants"
            )
        return None

    def _export(self, result: Result, plan: ExportPlan) -> None:
        self.message.emit("Exporting…")
        outcome = self._outcome()
        names = label_names(outcome.request.labels) if outcome else {}
        work = partial(_save, _named(result, names), plan)
        self._do(work, lambda _: self._on_export(result, plan))

    def _on_export(self, result: Result, plan: ExportPlan) -> None:
        self._exported[_digest(result)] = plan.folder
        remembered = load_settings(Remembered)
        folder = str(plan.folder.parent)
        save_settings(remembered.model_copy(update={"export_folder": folder}))
        self.message.emit(f"Exported to {plan.folder}")

    def _copy(self, text: Callable[[Any], str], words: str) -> None:
        outcome = self._shown("copy")
        if outcome is None:
            return
        result = outcome.result
        exported = self._exported.get(_digest(result))

        def put(answer: tuple[str, str]) -> None:
            written, what = answer
            clipboard = QApplication.clipboard()
            if clipboard is not None:
                clipboard.setText(written)
            self.message.emit(f"{words}. {what}".strip())

        self._do(partial(_written, result, exported, text), put)

    def _do(self, work: Callable[[], Any], done: Callable[[Any], None]) -> None:
        job = BackgroundTask(self)
        job.done.connect(done)
        job.failed.connect(self.failed)
        job.run(work)


def _named(result: Result, names: Mapping[int, str]) -> Result:
    """The result with the names of its labels in its metrics and recipe."""
    values = result.metrics["label_volume_change"]
    known = {v: names[int(v)] for v in values if names.get(int(v))}
    if not known:
        return result
    metrics = {**result.metrics, "label_names": known}
    return replace(result, metrics=metrics, recipe={**result.recipe, "label_names": known})


def _save(result: Result, plan: ExportPlan) -> Path:
    from src_core.generation import save_result
    from src_core.recipes.snippets import with_present_inputs

    return save_result(
        with_present_inputs(result),
        plan.folder,
        overwrite=plan.overwrite,
        field_format=plan.field_format,
        what=plan.what,
    )


def _written(result: Result, exported: Path | None, text: Callable[[Any], str]) -> tuple[str, str]:
    from src_core.recipes.snippets import call_of, with_present_inputs

    call = call_of(with_present_inputs(result), exported)
    return text(call), call.note


def _digest(result: Result) -> str:
    return str(result.recipe["outputs"]["displacement"])
