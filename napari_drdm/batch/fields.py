"""What a batch is made of: data set, model, levels, how many, where to. Knows no viewer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QFileDialog,
    QFormLayout,
    QGridLayout,
    QLineEdit,
    QPushButton,
    QWidget,
)

from napari_drdm.widgets.layout import form_of, row_of
from napari_drdm.widgets.option_controls import control_of
from napari_drdm.widgets.sources import Choice
from src_core.augment.formats import CASE_LAYOUTS, FORMATS
from src_core.augment.request import Request
from src_core.errors.options import option_field
from src_core.models.options import ModelOptions

__all__ = ["BatchFields"]

_OPTIONS = ("levels", "per_case", "seed", "number")


class BatchFields(QWidget):
    """Fields of a batch; ``changed`` when one has.

    Attributes:
        dataset: a folder, a CSV or a dataset.json.
        model: the models.
        levels: lowest to highest, or each with its weight.
        layouts: how new cases are laid out, by the engine's names.
        number: of an nnU-Net data set.
        out: the folder of the run.
    """

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._options = {name: control_of(option_field(Request, name)) for name in _OPTIONS}
        self.levels, self.per_case, self.seed, self.number = (
            control.widget for control in self._options.values()
        )
        self.dataset, self.out = QLineEdit(), QLineEdit()
        self.model = Choice(option_field(ModelOptions, "model").help)
        self.layouts = {name: QCheckBox(text.label) for name, text in CASE_LAYOUTS.items()}
        self._choosers = [QPushButton(text) for text in ("Folder…", "File…", "Folder…")]
        self._set_up()
        self._explain()
        self._connect()
        self._lay_out()

    def formats(self) -> tuple[str, ...]:
        """The layouts that are ticked."""
        return tuple(name for name, box in self.layouts.items() if box.isChecked())

    def values(self) -> dict[str, Any]:
        """Values of the fields, by the names of the engine's ``Request``; levels as text."""
        return {
            "dataset": Path(self.dataset.text().strip()).expanduser(),
            "out": Path(self.out.text().strip()).expanduser(),
            "formats": self.formats(),
            **{name: control.value() for name, control in self._options.items()},
        }

    def place(self, values: dict[str, Any]) -> None:
        """Show these values in the fields."""
        self.dataset.setText(str(values["dataset"]))
        self.out.setText(str(values["out"]))
        for name, control in self._options.items():
            control.place(values[name])
        for name, tick in self.layouts.items():
            tick.setChecked(name in values["formats"])

    def _set_up(self) -> None:
        self.dataset.setPlaceholderText("a folder, a CSV or a dataset.json")
        self.out.setPlaceholderText("an empty folder")
        self.layouts[FORMATS[0]].setChecked(True)
        self.number.setEnabled(False)

    def _explain(self) -> None:
        folder, table, out = self._choosers
        tips: dict[QWidget, str] = {
            self.dataset: option_field(Request, "dataset").help,
            folder: "Choose a folder of cases",
            table: "Choose a CSV with the columns image and labels, or a dataset.json",
            self.out: option_field(Request, "out").help + " A run in it is continued.",
            out: "Choose where the new cases go",
        }
        for widget, tip in tips.items():
            widget.setToolTip(tip)
            widget.setAccessibleName(tip.partition(".")[0])
        for name, box in self.layouts.items():
            text = CASE_LAYOUTS[name].help
            box.setToolTip(f"{text[0].upper()}{text[1:]}")

    def _connect(self) -> None:
        folder, table, out = self._choosers
        folder.clicked.connect(lambda: self._choose_folder(self.dataset))
        table.clicked.connect(self._choose_table)
        out.clicked.connect(lambda: self._choose_folder(self.out))
        for edit in (self.dataset, self.out):
            edit.textChanged.connect(self.changed)
        for control in self._options.values():
            control.changed.connect(lambda *_: self.changed.emit())
        for tick in self.layouts.values():
            tick.toggled.connect(self.changed)
        self.layouts["nnunet"].toggled.connect(self.number.setEnabled)
        self.model.chosen.connect(self.changed)

    def _choose_folder(self, edit: QLineEdit) -> None:
        if path := QFileDialog.getExistingDirectory(self, "Choose a folder", edit.text()):
            edit.setText(path)

    def _choose_table(self) -> None:
        kinds = "Data sets (*.csv *.json)"
        path, _ = QFileDialog.getOpenFileName(self, "Choose a data set", "", kinds)
        if path:
            self.dataset.setText(path)

    def _lay_out(self) -> None:
        folder, table, out = self._choosers
        ticks, boxes = QGridLayout(), self.layouts
        ticks.addWidget(boxes["cases"], 0, 0)
        ticks.addWidget(boxes["nifti"], 0, 1)
        ticks.addWidget(boxes["decathlon"], 1, 0)
        ticks.addLayout(row_of(boxes["nnunet"], self.number), 1, 1)
        form: QFormLayout = form_of(self)
        choosers = row_of(folder, table)
        choosers.setStretch(1, 1)
        form.addRow(_label("dataset"), self.dataset)
        form.addRow("", choosers)
        form.addRow(option_field(ModelOptions, "model").label, self.model)
        for name in ("levels", "per_case", "seed"):
            form.addRow(_label(name), self._options[name].widget)
        form.addRow(_label("formats"), ticks)
        form.addRow(_label("out"), row_of(self.out, out))


def _label(name: str) -> str:
    return option_field(Request, name).label
