"""A batch's rarer choices: which new cases are wanted, and how they are made and written."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QLabel,
    QLineEdit,
    QSpinBox,
    QWidget,
)

from napari_drdm.widgets.controls import form_of, offer_devices, row_of
from src_core.io.formats import field_conventions

__all__ = ["BatchFilters", "BatchMore"]

_CHOICES = {
    "slices": {"one for all slices": "shared", "one each": "each"},
    "interpolation": {"linear": "linear", "cubic": "cubic"},
    "label_interpolation": {"linear": "linear", "nearest": "nearest"},
    "field_format": {each.words: each.name for each in field_conventions()},
}
_TIPS = {
    "slices": "A 2D model on a stack: one deformation for all slices, or one each",
    "steps": "Steps of the recovery; auto is what was measured best for the model",
    "interpolation": "Of images; cubic for 2D models only",
    "label_interpolation": "Of labels: the largest share of a voxel, or the nearest voxel",
    "field_format": "For which tool displacement and inverse are written; some need SimpleITK",
    "split": "Only the cases of this split of a CSV, such as train; all where it is empty",
    "spacing": "mm per pixel of PNG and TIFF; other files say it themselves",
    "with_sources": "Write every case itself, too, as number 000",
    "workers": "Processes at work, each on one core; the result stays the same to the bit",
    "device": "Where the network runs; auto takes a GPU where there is one",
}


class BatchFilters(QWidget):
    """Bounds that new cases must keep: ``changed`` when one moves."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.min_mm, self.max_mm = _bound(" mm"), _bound(" mm")
        self.max_volume_change, self.retries = _bound(" %"), QSpinBox()
        self.max_volume_change.setPrefix("± ")
        self.keep_labels, self.keep_whole = QCheckBox("keep all labels"), QCheckBox("keep whole")
        self.max_volume_change.setPrefix("± ")
        self._explain()
        form = form_of(self)
        form.addRow("Moves", row_of(self.min_mm, QLabel("to"), self.max_mm))
        form.addRow("Volumes", self.max_volume_change)
        form.addRow("Labels", row_of(self.keep_labels, self.keep_whole))
        form.addRow("Retries", self.retries)
        for box in (self.min_mm, self.max_mm, self.max_volume_change, self.retries):
            box.valueChanged.connect(self.changed)
        for tick in (self.keep_labels, self.keep_whole):
            tick.toggled.connect(self.changed)

    def values(self) -> dict[str, Any]:
        """What is wanted, by the names of the engine's ``Filters``."""
        return {
            "min_mm": self.min_mm.value() or None,
            "max_mm": self.max_mm.value() or None,
            "max_volume_change": self.max_volume_change.value() or None,
            "keep_labels": self.keep_labels.isChecked(),
            "keep_whole": self.keep_whole.isChecked(),
            "retries": self.retries.value(),
        }

    def place(self, values: dict[str, Any]) -> None:
        """Put the controls where these values say."""
        for name in ("min_mm", "max_mm", "max_volume_change", "retries"):
            getattr(self, name).setValue(values[name] or 0)
        for name in ("keep_labels", "keep_whole"):
            getattr(self, name).setChecked(values[name])

    def _explain(self) -> None:
        self.retries.setRange(0, 100)
        tips = {
            self.min_mm: "Turn down what moves less than this, at its largest",
            self.max_mm: "Turn down what moves more than this, at its largest",
            self.max_volume_change: "Turn down a label whose volume changes more, up or down",
            self.keep_labels: "Turn down new cases that lose a label",
            self.keep_whole: "Turn down new cases in which a label is split",
            self.retries: "Further seeds, at the same level, for what is turned down",
        }
        for widget, tip in tips.items():
            widget.setToolTip(tip)


class BatchMore(QWidget):
    """How new cases are made and written: ``changed`` when that is."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.choices = {name: QComboBox() for name in _CHOICES}
        self.steps, self.workers, self.spacing = QSpinBox(), QSpinBox(), _bound(" mm", "1 mm", 3)
        self.split, self.device = QLineEdit(), QComboBox()
        self.with_sources = QCheckBox("with the cases themselves")
        self._set_up()
        form, choices = form_of(self), self.choices
        form.addRow("Slices", choices["slices"])
        form.addRow("Steps", self.steps)
        form.addRow("Images", choices["interpolation"])
        form.addRow("Labels", choices["label_interpolation"])
        form.addRow("Fields for", choices["field_format"])
        form.addRow("Split", self.split)
        form.addRow("Pixel", self.spacing)
        form.addRow("", self.with_sources)
        form.addRow("Device", self.device)
        form.addRow("Workers", self.workers)

    def values(self) -> dict[str, Any]:
        """What is chosen, by the engine's names; ``device`` is the model's."""
        chosen = {name: combo.currentData() for name, combo in self.choices.items()}
        return {
            **chosen,
            "steps": self.steps.value() or None,
            "split": self.split.text().strip(),
            "spacing": self.spacing.value() or None,
            "with_sources": self.with_sources.isChecked(),
            "workers": self.workers.value(),
            "device": str(self.device.currentData() or "auto"),
        }

    def place(self, values: dict[str, Any]) -> None:
        """Put the controls where these values say."""
        for name, combo in self.choices.items():
            combo.setCurrentIndex(max(0, combo.findData(values[name])))
        self.steps.setValue(values["steps"] or 0)
        self.split.setText(values["split"])
        self.spacing.setValue(values["spacing"] or 0)
        self.with_sources.setChecked(values["with_sources"])
        self.workers.setValue(values["workers"])

    def set_model(self, levels: int, steps: int) -> None:
        """The most steps a model can take, and what it asks for."""
        self.steps.setRange(0, levels)
        self.steps.setSpecialValueText(f"auto ({steps})")

    def offer_devices(self, devices: Sequence[tuple[str, str]], pick: str) -> None:
        """Devices by name and in words."""
        offer_devices(self.device, devices, pick)

    def _set_up(self) -> None:
        for name, combo in self.choices.items():
            for words, value in _CHOICES[name].items():
                combo.addItem(words, value)
            combo.currentIndexChanged.connect(self.changed)
            combo.setToolTip(_TIPS[name])
        self.steps.setSpecialValueText("auto")
        self.workers.setRange(1, os.cpu_count() or 1)
        self.split.setPlaceholderText("all")
        offer_devices(self.device, [("auto", "auto")])
        for name in ("steps", "workers", "spacing", "split", "device", "with_sources"):
            getattr(self, name).setToolTip(_TIPS[name])
        for box in (self.steps, self.workers, self.spacing):
            box.valueChanged.connect(self.changed)
        self.split.textChanged.connect(self.changed)
        self.with_sources.toggled.connect(self.changed)


def _bound(suffix: str, none: str = "any", decimals: int = 1) -> QDoubleSpinBox:
    """A number from 0, where 0 says nothing."""
    box = QDoubleSpinBox()
    box.setRange(0, 1000)
    box.setDecimals(decimals)
    box.setSuffix(suffix)
    box.setSpecialValueText(none)
    return box
