"""What a batch is made of: data set, model, levels, how many, where to. Knows no viewer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QComboBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSpinBox,
    QWidget,
)

from napari_drdm.widgets.sources import Choice

__all__ = ["BatchFields"]

_MOST_SEED = 2**31 - 1


class BatchFields(QWidget):
    """Fields of a batch; ``changed`` when one has.

    Attributes:
        dataset: a folder or a CSV.
        model: the models.
        out: the folder of the run.
    """

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.dataset, self.out = QLineEdit(), QLineEdit()
        self.model = Choice("The trained model that makes the deformations plausible")
        self.lowest, self.highest = QSpinBox(), QSpinBox()
        self.per_case, self.seed = QSpinBox(), QSpinBox()
        self.slices, self.format = QComboBox(), QComboBox()
        self._choosers = [QPushButton(text) for text in ("Folder…", "CSV…", "Folder…")]
        self._set_up()
        self._explain()
        self._connect()
        self._lay_out()
        self.set_levels(80)
        self.highest.setValue(70)
        self.lowest.setValue(30)

    def values(self) -> dict[str, Any]:
        """What the fields say, by the names of the engine's ``Request``."""
        return {
            "dataset": Path(self.dataset.text().strip()).expanduser(),
            "out": Path(self.out.text().strip()).expanduser(),
            "per_case": self.per_case.value(),
            "levels": (self.lowest.value(), self.highest.value()),
            "seed": self.seed.value(),
            "formats": tuple(self.format.currentData().split(",")),
            "options": {"slices": self.slices.currentData()},
        }

    def set_levels(self, levels: int) -> None:
        """The highest level there is."""
        self.highest.setRange(0, levels)
        self.lowest.setRange(0, levels)

    def _set_up(self) -> None:
        self.dataset.setPlaceholderText("a folder or a CSV")
        self.out.setPlaceholderText("an empty folder")
        self.per_case.setRange(1, 10_000)
        self.per_case.setValue(8)
        self.seed.setRange(0, _MOST_SEED)
        self.seed.setValue(1)
        for name, value in (("one for all slices", "shared"), ("one each", "each")):
            self.slices.addItem(name, value)
        for name, formats in (
            ("a folder for each new case", "cases"),
            ("images/ and labels/", "nifti"),
            ("both", "cases,nifti"),
        ):
            self.format.addItem(name, formats)

    def _explain(self) -> None:
        folder, table, out = self._choosers
        level = "Levels are drawn uniformly between these two; 0 is the image itself"
        tips = {
            self.dataset: "Labelled cases: a folder with images/ and labels/ of equal names, or a "
            "CSV with the columns image and labels",
            folder: "Choose a folder with images/ and labels/",
            table: "Choose a CSV with the columns image and labels",
            self.out: "Where the new cases go; a run that is there already is gone on with",
            out: "Choose where the new cases go",
            self.lowest: level,
            self.highest: level,
            self.per_case: "New cases made of every case; more of them change none of the others",
            self.seed: "Of all draws; the same seed makes the same new cases again",
            self.slices: "A 2D model on a stack: one deformation for all slices, or one each",
            self.format: "A folder with image, labels, field, inverse, Jacobian and recipe; or "
            "images and labels in two folders with equal names, as a training reads them",
        }
        for widget, tip in tips.items():
            widget.setToolTip(tip)

    def _connect(self) -> None:
        folder, table, out = self._choosers
        folder.clicked.connect(lambda: self._choose_folder(self.dataset))
        table.clicked.connect(self._choose_table)
        out.clicked.connect(lambda: self._choose_folder(self.out))
        for edit in (self.dataset, self.out):
            edit.textChanged.connect(self.changed)
        for box in (self.lowest, self.highest, self.per_case, self.seed):
            box.valueChanged.connect(self.changed)
        for combo in (self.slices, self.format):
            combo.currentIndexChanged.connect(self.changed)
        self.model.chosen.connect(self.changed)
        self.lowest.valueChanged.connect(lambda v: self.highest.setValue(max(v, self._high())))
        self.highest.valueChanged.connect(lambda v: self.lowest.setValue(min(v, self._low())))

    def _low(self) -> int:
        return self.lowest.value()

    def _high(self) -> int:
        return self.highest.value()

    def _choose_folder(self, edit: QLineEdit) -> None:
        if path := QFileDialog.getExistingDirectory(self, "Choose a folder", edit.text()):
            edit.setText(path)

    def _choose_table(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Choose a data set", "", "Tables (*.csv)")
        if path:
            self.dataset.setText(path)

    def _lay_out(self) -> None:
        folder, table, out = self._choosers
        form = QFormLayout(self)
        form.setContentsMargins(0, 0, 0, 0)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.addRow("Data set", self.dataset)
        form.addRow("", _row(folder, table))
        form.addRow("Model", self.model)
        form.addRow("Levels", _row(self.lowest, QLabel("to"), self.highest))
        form.addRow("Per case", self.per_case)
        form.addRow("Seed", self.seed)
        form.addRow("Slices", self.slices)
        form.addRow("Layout", self.format)
        form.addRow("Output", _row(self.out, out))


def _row(*widgets: QWidget) -> QHBoxLayout:
    row = QHBoxLayout()
    for widget in widgets:
        row.addWidget(widget, 0 if isinstance(widget, QLabel | QPushButton) else 1)
    return row
