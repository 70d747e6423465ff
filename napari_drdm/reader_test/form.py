"""The form of the dock: the test's folder, reading, results, and preparing. Knows no viewer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_drdm.widgets.column import Column
from napari_drdm.widgets.layout import form_of, row_of
from napari_drdm.widgets.option_controls import control_of
from napari_drdm.widgets.section import Section
from napari_drdm.widgets.sources import Choice, note
from src_core.errors.options import option_field
from src_core.models.options import ModelOptions
from src_core.tasks.reader.options import SYNTHETIC, ReaderRequest

__all__ = ["ReaderTestForm"]

_ROWS = ("mode", "questions", "generated", "level", "slice", "part", "size", "sharp", "seed")


class PreparationFields(QWidget):
    """What a test is made from.

    Attributes:
        real: the real images.
        model: the models.
        kinds: a box for each synthetic kind.
        controls: of the other options, by name.
    """

    def __init__(self) -> None:
        super().__init__()
        self.real = QLineEdit()
        self.real.setPlaceholderText("a folder, or a CSV")
        self.real.setToolTip(option_field(ReaderRequest, "real").help)
        self.model = Choice(option_field(ModelOptions, "model").help)
        self.kinds = {kind: QCheckBox(kind.capitalize()) for kind in SYNTHETIC}
        self.controls = {n: control_of(option_field(ReaderRequest, n)) for n in _ROWS}
        for box in self.kinds.values():
            box.setChecked(True)
            box.setToolTip(option_field(ReaderRequest, "kinds").help)
        self._lay_out()

    def values(self) -> dict[str, Any]:
        """What is chosen, by the engine's names."""
        entry = self.model.value()
        return {
            "real": self.real.text().strip(),
            "kinds": tuple(kind for kind, box in self.kinds.items() if box.isChecked()),
            **{name: control.value() for name, control in self.controls.items()},
            "model": None if entry is None else str(entry.path),
        }

    def _lay_out(self) -> None:
        rows: QFormLayout = form_of(self)
        folder, table = QPushButton("Folder…"), QPushButton("File…")
        folder.setToolTip("Choose a folder of real images")
        folder.setAccessibleName(folder.toolTip())
        table.setToolTip("Choose a CSV with a column image")
        folder.clicked.connect(lambda: choose_folder(self, self.real))
        table.clicked.connect(self._choose_table)
        rows.addRow(_label("real"), row_of(self.real, folder, table))
        kinds = QHBoxLayout()
        for box in self.kinds.values():
            kinds.addWidget(box)
        for name in ("mode", "questions"):
            rows.addRow(_label(name), self.controls[name].widget)
        rows.addRow(_label("kinds"), kinds)
        generated = self.controls["generated"].widget
        chooser = QPushButton("Folder…")
        chooser.setToolTip("Choose a folder of generated images")
        chooser.setAccessibleName(chooser.toolTip())
        chooser.clicked.connect(lambda: choose_folder(self, generated))
        rows.addRow(_label("generated"), row_of(generated, chooser))
        rows.addRow(option_field(ModelOptions, "model").label, self.model)
        for name in _ROWS[3:]:
            rows.addRow("" if name == "sharp" else _label(name), self.controls[name].widget)

    def _choose_table(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Choose a table", "", "Tables (*.csv)")
        if path:
            self.real.setText(path)


class ReaderTestForm(QWidget):
    """Folder, reader, results and preparation, in a column that scrolls.

    Signals: ``folder_changed``, ``start_asked``, ``report_asked``, ``prepare_asked``,
    ``cancel_asked``.
    """

    folder_changed = Signal()
    start_asked = Signal()
    report_asked = Signal()
    prepare_asked = Signal()
    cancel_asked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.folder, self.reader = QLineEdit(), QLineEdit()
        self.about, self.status = note(), note()
        self.start, self.report = QPushButton("Start"), QPushButton("Show results")
        self.fields = PreparationFields()
        self.prepare, self.cancel = QPushButton("Prepare"), QPushButton("Cancel")
        self.progress = QProgressBar()
        self._choose = QPushButton("Folder…")
        self._explain()
        self._connect()
        self._lay_out()
        self.set_preparing(False)

    def set_preparing(self, busy: bool) -> None:
        """A preparation began, or ended."""
        for widget in (self.fields, self.folder, self._choose):
            widget.setEnabled(not busy)
        self.cancel.setEnabled(busy)
        self.progress.setVisible(busy)
        self.progress.setRange(0, 0)

    def show_progress(self, done: int, total: int) -> None:
        """Pictures that are made."""
        self.progress.setRange(0, total)
        self.progress.setValue(done)
        self.progress.setFormat(f"{done} of {total} pictures")

    def _explain(self) -> None:
        self.folder.setPlaceholderText("a test, or an empty folder to prepare one in")
        self.reader.setPlaceholderText("a name or a code, such as R1")
        tips: dict[QWidget, str] = {
            self.folder: option_field(ReaderRequest, "out").help,
            self._choose: "Choose the folder of a test",
            self.reader: "Decides the order of the questions, and names the file of answers",
            self.start: "Open the window of the test; it continues where this reader stopped",
            self.report: "Accuracy or scores of all readers, with intervals, and their agreement",
            self.prepare: "Make the pictures of a test; an unfinished one is continued",
            self.cancel: "Stop after the current picture; Prepare continues",
            self.progress: "Pictures that are made",
        }
        for widget, tip in tips.items():
            widget.setToolTip(tip)
            widget.setAccessibleName(tip)

    def _connect(self) -> None:
        self._choose.clicked.connect(lambda: choose_folder(self, self.folder))
        self.folder.textChanged.connect(self.folder_changed)
        self.reader.textChanged.connect(self.folder_changed)
        self.reader.returnPressed.connect(self.start.click)
        signals: dict[QPushButton, Any] = {
            self.start: self.start_asked, self.report: self.report_asked,
            self.prepare: self.prepare_asked, self.cancel: self.cancel_asked,
        }  # fmt: skip
        for button, signal in signals.items():
            button.clicked.connect(lambda _=False, asked=signal: asked.emit())

    def _lay_out(self) -> None:
        inner, top = QWidget(), QWidget()
        rows = form_of(top)
        rows.addRow(_label("out"), row_of(self.folder, self._choose))
        rows.addRow("", self.about)
        rows.addRow("Reader", row_of(self.reader, self.start, self.report))
        making, buttons = QWidget(), QHBoxLayout()
        buttons.addWidget(self.prepare)
        buttons.addWidget(self.cancel)
        column = QVBoxLayout(making)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.fields)
        column.addLayout(buttons)
        column.addWidget(self.progress)
        self.preparation = Section("Prepare a test", making, True)
        whole = QVBoxLayout(inner)
        for widget in (top, self.status, self.preparation):
            whole.addWidget(widget)
        whole.addStretch(1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(Column(inner))


def choose_folder(parent: QWidget, edit: QLineEdit) -> None:
    """Ask for a folder and write it into a line."""
    choose: Callable[..., str] = QFileDialog.getExistingDirectory
    if path := choose(parent, "Choose a folder", edit.text()):
        edit.setText(path)


def _label(name: str) -> str:
    return option_field(ReaderRequest, name).label
