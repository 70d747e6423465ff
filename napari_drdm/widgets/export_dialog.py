"""Export: into which folder, what of a result, and in which field format."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_drdm.widgets.dialog_buttons import standard_button
from napari_drdm.widgets.message_line import MessageLine
from napari_drdm.widgets.option_controls import control_of
from napari_drdm.widgets.sources import note
from napari_drdm.widgets.usable import UsablePanel
from src_core.errors.options import option_field
from src_core.io.formats import volume_file
from src_core.io.options import FileOptions

if TYPE_CHECKING:
    from src_core.io import FieldFormat

__all__ = ["ExportDialog", "ExportPlan", "free_folder", "mismatch"]

_PARTS = {
    "image": ("image", "The warped image"),
    "labels": ("labels", "The labels, carried along"),
    "displacement": ("displacement", "Where each place came from, in mm"),
    "inverse": ("inverse", "Where each place goes to, in mm"),
    "jacobian": ("Jacobian", "Its determinant"),
}


@dataclass(frozen=True)
class ExportPlan:
    """What the user chose; ``what`` are names of parts, as ``save_result`` takes them."""

    folder: Path
    what: frozenset[str]
    field_format: FieldFormat
    overwrite: bool


class ExportDialog(QDialog):
    """Asks for folder and files; ``chosen(ExportPlan)`` at the end.

    Args:
        folder: that is offered.
        labels: whether the result has labels.
        warning: one line about what is exported, or nothing.
        agree: asks a question that is answered by yes or no, before files are replaced.
    """

    chosen = Signal(object)

    def __init__(
        self,
        parent: QWidget | None,
        folder: Path | str,
        *,
        labels: bool,
        warning: str,
        agree: Callable[[QWidget, str], bool],
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Export")
        self._agree = agree
        self.folder, self.browse = QLineEdit(str(folder)), QPushButton("Browse…")
        self.boxes = {name: QCheckBox(words) for name, (words, _) in _PARTS.items()}
        self.always = QCheckBox("recipe and metrics")
        self._format = control_of(option_field(FileOptions, "field_format"))
        self.format: QComboBox = self._format.widget
        self.warning, self.place_note = note(), MessageLine()
        buttons = QDialogButtonBox.StandardButton
        self.buttons = QDialogButtonBox(buttons.Ok | buttons.Cancel)
        self._set_up(labels)
        self._lay_out()
        self.usable = UsablePanel(self)
        self.warning.setText(warning)
        self._check()

    def plan(self) -> ExportPlan:
        """What is chosen now."""
        folder, format = self._place(), self._format.value()
        return ExportPlan(folder, self._what(), format, _has_content(folder))

    def accept(self) -> None:
        """Ask before anything is replaced, then end."""
        plan = self.plan()
        if plan.overwrite and not self._agree(self, _question(plan)):
            return
        super().accept()
        self.chosen.emit(plan)

    def _set_up(self, labels: bool) -> None:
        self.folder.setAccessibleName("Folder")
        self.folder.setToolTip("The folder to write into; it is created if it does not exist")
        self.browse.setToolTip("Choose a folder")
        self.browse.clicked.connect(self._ask_folder)
        self.folder.textChanged.connect(lambda _: self._check())
        for name, box in self.boxes.items():
            box.setToolTip(f"{_PARTS[name][1]}: {volume_file(name)}")
            box.setChecked(name != "labels" or labels)
            box.setEnabled(name != "labels" or labels)
            box.toggled.connect(lambda _: self._check())
        self.always.setChecked(True)
        self.always.setEnabled(False)
        self.always.setToolTip("What makes the same result again, and its numbers: always written")
        export = standard_button(self.buttons, QDialogButtonBox.StandardButton.Ok)
        export.setText("Export")
        export.setToolTip("Write the files")
        cancel = standard_button(self.buttons, QDialogButtonBox.StandardButton.Cancel)
        cancel.setToolTip("Write nothing")
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)

    def _lay_out(self) -> None:
        place, parts = QHBoxLayout(), QGridLayout()
        place.addWidget(self.folder, 1)
        place.addWidget(self.browse)
        for index, box in enumerate((*self.boxes.values(), self.always)):
            parts.addWidget(box, index // 2, index % 2)
        column, form = QVBoxLayout(self), QFormLayout()
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.addRow(self.warning)
        form.addRow("Folder", place)
        form.addRow("", self.place_note)
        form.addRow("What", parts)
        form.addRow(self._format.option.label, self.format)
        column.addLayout(form)
        column.addStretch(1)
        column.addWidget(self.buttons)
        self.setMinimumWidth(520)

    def _what(self) -> frozenset[str]:
        return frozenset(name for name, box in self.boxes.items() if box.isChecked())

    def _place(self) -> Path:
        return Path(os.path.abspath(os.path.expanduser(self.folder.text().strip())))

    def _check(self) -> None:
        """Report what is in the folder, and enable Export only where it is possible."""
        empty, place = not self.folder.text().strip(), self._place()
        file = not empty and place.is_file()
        text = "This is a file: choose a folder." if file else ""
        if not empty and _has_content(place):
            text = "This folder is not empty: you will be asked."
        self.place_note.setText(text)
        self.format.setEnabled(bool({"displacement", "inverse"} & self._what()))
        export = standard_button(self.buttons, QDialogButtonBox.StandardButton.Ok)
        export.setEnabled(not empty and not file)

    def _ask_folder(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Export into a folder", self.folder.text())
        if folder:
            self.folder.setText(folder)


def free_folder(home: Path, name: str, level: int, seed: int) -> Path:
    """A folder in ``home`` that is not there yet, such as ``heart-L48-S1``; any name will do."""
    from src_core.recipes.snippets import plain_name

    first = home / f"{plain_name(name)}-L{level}-S{seed}"
    numbered = (first.with_name(f"{first.name}-{n}") for n in range(2, 10_000))
    return next((p for p in (first, *numbered) if not p.exists()), first)


def mismatch(recipe: Mapping[str, Any], form: Mapping[str, Any], model: str) -> str:
    """How the form differs from the result that is shown and exported, or nothing.

    Args:
        recipe: of the result.
        form: options by the engine's names; steps None for the model's own.
        model: name of the model that is chosen.
    """
    made = {**recipe["options"], "model": recipe["model"]["name"]}
    asked = {"model": model, **form}
    if asked["level"] != made["level"]:
        asked["steps"] = None  # they follow from the level
    elif asked.get("steps"):
        asked["steps"] = min(asked["steps"], asked["level"]) or None
    names = [
        name
        for name, value in asked.items()
        if value is not None and _as_json(value) != made.get(name)
    ]
    if not names:
        return ""
    # A recipe leaves out options that nobody set.
    exported = ", ".join(f"{name} {made[name]}" if name in made else f"no {name}" for name in names)
    asked_for = ", ".join(f"{name} {asked[name]}" for name in names)
    return (
        f"What is shown is exported: {exported}. "
        f"The form says {asked_for}: generate first for that."
    )


def _as_json(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _has_content(folder: Path) -> bool:
    """Whether something would be among the new files; a folder that says nothing has none."""
    try:
        return folder.is_dir() and any(folder.iterdir())
    except OSError:
        return False


def _question(plan: ExportPlan) -> str:
    files = {name: plan.folder / volume_file(name) for name in _PARTS}
    stale = [file.name for name, file in files.items() if file.exists() and name not in plan.what]
    question = f"{plan.folder} is not empty. Replace files of the same name?"
    if not stale:
        return question
    return f"{question} {', '.join(stale)} there will stay and will not belong to this result."
