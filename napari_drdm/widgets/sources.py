"""Choosing what to deform and by which model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QAction
from qtpy.QtWidgets import (
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QToolButton,
    QWidget,
)

from napari_drdm.widgets.badges import BADGES, MARKS
from napari_drdm.widgets.message_line import MessageLine

if TYPE_CHECKING:
    from src_core.generation.verdict import Grade

__all__ = ["Choice", "ManyChoice", "SourcePanel", "note"]

_GEOMETRY = (
    "Axes in napari's order. Where no spacing is known, lengths are in px: set the layer's scale "
    "and units to work in mm"
)


class Choice(QComboBox):
    """A list of named objects, kept by reference; ``chosen(object)`` when the user picks one."""

    chosen = Signal(object)

    def __init__(self, tip: str, none: str = "") -> None:
        super().__init__()
        self._values: list[Any] = []
        self._none = none
        self.setToolTip(tip)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(8)
        self.currentIndexChanged.connect(lambda _: self.chosen.emit(self.value()))

    def value(self) -> Any:
        """The object picked, or None."""
        index = self.currentIndex()
        return self._values[index] if 0 <= index < len(self._values) else None

    def values(self) -> tuple[Any, ...]:
        """All objects on offer."""
        return tuple(self._values)

    def offer(self, entries: Sequence[tuple[str, Any]]) -> None:
        """Replace the list; what was picked stays so, if it is still there."""
        before = self.value()
        self.blockSignals(True)
        self.clear()
        entries = [*([(self._none, None)] if self._none else []), *entries]
        self._values = [value for _, value in entries]
        self.addItems([name for name, _ in entries])
        self.pick(before)
        self.blockSignals(False)
        if self.value() is not before:
            self.chosen.emit(self.value())

    def pick(self, value: Any) -> None:
        """Pick an object, or the first where it is not in the list."""
        found = [i for i, known in enumerate(self._values) if known is value]
        self.setCurrentIndex(found[0] if found else min(0, len(self._values) - 1))


class ManyChoice(QToolButton):
    """A button that opens a list of named objects to tick: ``changed()`` when that is done."""

    changed = Signal()

    def __init__(self, none: str, tip: str) -> None:
        super().__init__()
        self._none = none
        self._actions: list[tuple[Any, Any]] = []
        self._menu = QMenu(self)
        self._menu.setToolTipsVisible(True)
        self.setMenu(self._menu)
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.setToolTip(tip)
        self.offer([])

    def values(self) -> tuple[Any, ...]:
        """The objects that are ticked."""
        return tuple(value for action, value in self._actions if action.isChecked())

    def offer(self, entries: Sequence[tuple[str, Any]]) -> None:
        """Replace the list; what was ticked stays so, if it is still there."""
        before = self.values()
        self._menu.clear()
        self._actions = []
        for name, value in entries:
            action = QAction(name, self._menu)
            self._menu.addAction(action)
            action.setCheckable(True)
            action.setChecked(any(value is known for known in before))
            action.toggled.connect(self._on_tick)
            self._actions.append((action, value))
        self.setEnabled(bool(entries))
        self._tell()
        if len(self.values()) != len(before):
            self.changed.emit()

    def tick(self, values: Sequence[Any]) -> None:
        """Tick these and no others."""
        for action, value in self._actions:
            action.setChecked(any(value is wanted for wanted in values))

    def _on_tick(self, _: bool) -> None:
        self._tell()
        self.changed.emit()

    def _tell(self) -> None:
        ticked = [action.text() for action, _ in self._actions if action.isChecked()]
        self.setText(", ".join(ticked) if len(ticked) < 2 else f"{len(ticked)} layers")
        if not ticked:
            self.setText(self._none)


class SourcePanel(QWidget):
    """Image, labels and model, each with a line about it.

    Attributes:
        image: the image layers.
        labels: the labels layers, or none.
        model: the models.
        choices: the three.
        import_asked: the user wants to add a model.
        card_asked: the user wants to read the model's card.
        convert_asked: the user wants the image as labels, which was offered.
    """

    import_asked = Signal()
    card_asked = Signal()
    convert_asked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.image = Choice("The image layer to deform; it is never changed")
        self.labels = Choice("Labels that are carried along with the image", none="none")
        self.model = Choice("The trained model that makes the deformation plausible")
        self.choices = self.image, self.labels, self.model
        self._import = QPushButton("Import…")
        self._import.setToolTip("Add a model: .safetensors, or the published .pth; or drop it here")
        self._import.clicked.connect(self.import_asked)
        self.card = QPushButton("Card")
        self.card.setToolTip("What the model was trained on, its licence, figures and limits")
        self.card.clicked.connect(self.card_asked)
        self.convert = QPushButton("This looks like a label map: convert it to labels")
        self.convert.setToolTip("Replace this image layer by a labels layer with the same values")
        self.convert.clicked.connect(self.convert_asked)
        self.convert.setVisible(False)
        self.geometry_note, self.model_note = MessageLine(2, _GEOMETRY), MessageLine(2)
        self.fit_note = MessageLine(2)
        self.fit_note.setAlignment(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft)
        self.fit_note.setObjectName("drdm_fit_note")
        self.model_note.setObjectName("drdm_model_note")
        row = QHBoxLayout()
        row.setSpacing(4)
        row.addWidget(self.model, 1)
        row.addWidget(self.card)
        row.addWidget(self._import)
        form = QFormLayout(self)
        form.setContentsMargins(0, 0, 0, 0)
        form.setVerticalSpacing(3)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.addRow("Image", self.image)
        form.addRow("Labels", self.labels)
        form.addRow("", self.geometry_note)
        form.addRow("", self.convert)
        form.addRow("Model", row)
        form.addRow("", self.model_note)
        form.addRow("", self.fit_note)

    def show_fit(self, text: str, grade: Grade | None, tip: str = "") -> None:
        """Say whether the image fits the model, in words and colour; nothing for ''."""
        mark = f"{MARKS[grade]} " if grade else ""
        self.fit_note.setStyleSheet(BADGES[grade] if grade else "")
        self.fit_note.show_text(f"{mark}{text}" if text else "", tip)

    def show_scale(self, text: str, grade: Grade | None = None, details: str = "") -> None:
        """Say whether the image's size suits the model; details are in the tooltip."""
        self.model_note.setStyleSheet(BADGES[grade] if grade else "")
        self.model_note.show_text(f"{MARKS[grade]} {text}" if grade else text, details)

    def offer_conversion(self, offered: bool) -> None:
        """Whether the image looks like labels."""
        self.convert.setVisible(offered)


def note() -> QLabel:
    """A line of text that wraps and hides while it is empty."""
    label = _Note()
    label.setWordWrap(True)
    label.setVisible(False)
    return label


class _Note(QLabel):
    def setText(self, text: str | None) -> None:
        super().setText(text)
        self.setVisible(bool(text))
