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
    QSpinBox,
    QWidget,
)

from napari_drdm.widgets.controls import form_of, row_of
from napari_drdm.widgets.sources import Choice

__all__ = ["BatchFields"]

_MOST_SEED = 2**31 - 1
_LAYOUTS = {
    "cases": (
        "case folders",
        "A folder for each new case: image, labels, field, inverse, Jacobian and recipe",
    ),
    "nifti": (
        "images and labels",
        "images/ and labels/ with equal names, as a training reads them; fields in fields/",
    ),
    "nnunet": ("nnU-Net", "A raw data set of nnU-Net v2, with the number beside it"),
    "decathlon": ("decathlon", "A dataset.json with imagesTr/ and labelsTr/, as MONAI reads it"),
}


class BatchFields(QWidget):
    """Fields of a batch; ``changed`` when one has.

    Attributes:
        dataset: a folder, a CSV or a dataset.json.
        model: the models.
        levels: from where to where, or how often which.
        layouts: how new cases are laid out, by the engine's names.
        number: of an nnU-Net data set.
        out: the folder of the run.
    """

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.dataset, self.out, self.levels = QLineEdit(), QLineEdit(), QLineEdit("30:70")
        self.model = Choice("The trained model that makes the deformations plausible")
        self.per_case, self.seed, self.number = QSpinBox(), QSpinBox(), QSpinBox()
        self.layouts = {name: QCheckBox(words) for name, (words, _) in _LAYOUTS.items()}
        self._choosers = [QPushButton(text) for text in ("Folder…", "File…", "Folder…")]
        self._set_up()
        self._explain()
        self._connect()
        self._lay_out()

    def formats(self) -> tuple[str, ...]:
        """The layouts that are ticked."""
        return tuple(name for name, box in self.layouts.items() if box.isChecked())

    def values(self) -> dict[str, Any]:
        """What the fields say, by the names of the engine's ``Request``; levels as text."""
        return {
            "dataset": Path(self.dataset.text().strip()).expanduser(),
            "out": Path(self.out.text().strip()).expanduser(),
            "per_case": self.per_case.value(),
            "levels": self.levels.text(),
            "seed": self.seed.value(),
            "formats": self.formats(),
            "number": self.number.value(),
        }

    def place(self, values: dict[str, Any]) -> None:
        """Put the fields where these values say."""
        self.dataset.setText(str(values["dataset"]))
        self.out.setText(str(values["out"]))
        self.levels.setText(str(values["levels"]))
        for box in (self.per_case, self.seed, self.number):
            box.setValue(values[box.objectName()])
        for name, tick in self.layouts.items():
            tick.setChecked(name in values["formats"])

    def _set_up(self) -> None:
        self.dataset.setPlaceholderText("a folder, a CSV or a dataset.json")
        self.out.setPlaceholderText("an empty folder")
        numbers = (
            ("per_case", self.per_case, 1, 10_000, 8),
            ("seed", self.seed, 0, _MOST_SEED, 1),
            ("number", self.number, 1, 999, 500),
        )
        for name, box, least, most, value in numbers:
            box.setObjectName(name)
            box.setRange(least, most)
            box.setValue(value)
        self.layouts["cases"].setChecked(True)
        self.number.setEnabled(False)

    def _explain(self) -> None:
        folder, table, out = self._choosers
        tips = {
            self.dataset: "Labelled cases: a folder with images/ and labels/ of equal names, a "
            "CSV with the columns image and labels, or what a dataset.json describes",
            folder: "Choose a folder of cases",
            table: "Choose a CSV with the columns image and labels, or a dataset.json",
            self.out: "Where the new cases go; a run that is there already is gone on with",
            out: "Choose where the new cases go",
            self.levels: "30:70 draws evenly from 30 to 70, 0 is the image itself; 30,45=2,60 draws"
            "\nthese, 45 twice as often; 50~6 draws near 50, with 6 as standard deviation",
            self.per_case: "New cases made of every case; more of them change none of the others",
            self.seed: "Of all draws; the same seed makes the same new cases again",
            self.number: "Number of the nnU-Net data set, as in Dataset500",
        }
        for widget, tip in tips.items():
            widget.setToolTip(tip)
        for name, box in self.layouts.items():
            box.setToolTip(_LAYOUTS[name][1])

    def _connect(self) -> None:
        folder, table, out = self._choosers
        folder.clicked.connect(lambda: self._choose_folder(self.dataset))
        table.clicked.connect(self._choose_table)
        out.clicked.connect(lambda: self._choose_folder(self.out))
        for edit in (self.dataset, self.out, self.levels):
            edit.textChanged.connect(self.changed)
        for box in (self.per_case, self.seed, self.number):
            box.valueChanged.connect(self.changed)
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
        form.addRow("Data set", self.dataset)
        choosers = row_of(folder, table)
        choosers.setStretch(1, 1)
        form.addRow("", choosers)
        form.addRow("Model", self.model)
        form.addRow("Levels", self.levels)
        form.addRow("Per case", self.per_case)
        form.addRow("Seed", self.seed)
        form.addRow("Layout", ticks)
        form.addRow("Output", row_of(self.out, out))
