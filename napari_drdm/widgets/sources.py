"""Choosing what to deform and by which model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox, QFormLayout, QHBoxLayout, QLabel, QPushButton, QWidget

__all__ = ["Choice", "SourcePanel", "note"]


class Choice(QComboBox):
    """A list of named objects, kept by reference; ``chosen(object)`` when the user picks one."""

    chosen = Signal(object)

    def __init__(self, tip: str, none: str = "") -> None:
        super().__init__()
        self._values: list[Any] = []
        self._none = none
        self.setToolTip(tip)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(12)
        self.currentIndexChanged.connect(lambda _: self.chosen.emit(self.value()))

    def value(self) -> Any:
        """The object picked, or None."""
        index = self.currentIndex()
        return self._values[index] if 0 <= index < len(self._values) else None

    def offer(self, entries: Sequence[tuple[str, Any]]) -> None:
        """Replace the list; what was picked stays so, if it is still there."""
        before = self.value()
        self.blockSignals(True)
        self.clear()
        entries = [*([(self._none, None)] if self._none else []), *entries]
        self._values = [value for _, value in entries]
        self.addItems([name for name, _ in entries])
        self.blockSignals(False)
        self.pick(before)
        if self.value() is not before:
            self.chosen.emit(self.value())

    def pick(self, value: Any) -> None:
        """Pick an object, or the first where it is not in the list."""
        found = [i for i, known in enumerate(self._values) if known is value]
        self.setCurrentIndex(found[0] if found else min(0, len(self._values) - 1))


class SourcePanel(QWidget):
    """Image, labels and model, each with a line about it.

    Attributes:
        image: the image layers.
        labels: the labels layers, or none.
        model: the models.
        import_asked: the user wants to add a model.
    """

    import_asked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.image = Choice("The image layer to deform; it is never changed")
        self.labels = Choice("Labels that are carried along with the image", none="none")
        self.model = Choice("The trained model that makes the deformation plausible")
        self._import = QPushButton("Import…")
        self._import.setToolTip("Add a model: .safetensors, or the published .pth")
        self._import.clicked.connect(self.import_asked)
        self.geometry_note, self.model_note = note(), note()
        self.model_note.setObjectName("drdm_model_note")
        row = QHBoxLayout()
        row.addWidget(self.model, 1)
        row.addWidget(self._import)
        form = QFormLayout(self)
        form.setContentsMargins(0, 0, 0, 0)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.addRow("Image", self.image)
        form.addRow("Labels", self.labels)
        form.addRow("", self.geometry_note)
        form.addRow("Model", row)
        form.addRow("", self.model_note)


def note() -> QLabel:
    """A line of text that wraps and hides while it is empty."""
    label = _Note()
    label.setWordWrap(True)
    label.setVisible(False)
    return label


class _Note(QLabel):
    def setText(self, text: str) -> None:
        super().setText(text)
        self.setVisible(bool(text))
