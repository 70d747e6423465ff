"""How far, which draw, how, and what of it is shown."""

from __future__ import annotations

import random

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSlider,
    QSpinBox,
    QWidget,
)

from napari_drdm.widgets.sources import note

__all__ = ["OptionsPanel", "ShowPanel"]

_MOST_SEED = 2**31 - 1


class OptionsPanel(QWidget):
    """Level, seed, steps and slices."""

    def __init__(self) -> None:
        super().__init__()
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.level = QSpinBox()
        self.reach = QLabel()
        self.seed, self.steps = QSpinBox(), QSpinBox()
        self.slices = QComboBox()
        self.dice = _button("⚄", "A seed by chance (Ctrl+D)")
        self.previous = _button("‹", "One seed back (Ctrl+,)")
        self.following = _button("›", "One seed on (Ctrl+.)")
        self._set_up()
        self._lay_out()
        self.set_levels(80)
        self.slider.setValue(48)

    def values(self) -> dict[str, object]:
        """Options of a generation, by the names of the engine."""
        return {
            "level": self.level.value(),
            "seed": self.seed.value(),
            "steps": self.steps.value() or None,
            "slices": self.slices.currentData(),
        }

    def set_levels(self, levels: int) -> None:
        """The highest level there is."""
        self.slider.setRange(0, levels)
        self.level.setRange(0, levels)
        self.steps.setRange(0, levels)

    def set_stack(self, stack: bool) -> None:
        """Whether there are slices to choose for."""
        self.slices.setEnabled(stack)

    def set_reach(self, percent: float | None) -> None:
        """How far the present level's result went, % of the longer side; None when unknown."""
        self.reach.setText("" if percent is None else f"at most {percent:.0f} % of the side")

    def roll(self) -> None:
        """Another seed by chance."""
        self.seed.setValue(random.randrange(10_000))

    def step_seed(self, by: int) -> None:
        """The next or the previous seed."""
        self.seed.setValue(self.seed.value() + by)

    def _set_up(self) -> None:
        tip = "How strong the deformation is: 0 is the image itself"
        self.slider.setToolTip(tip)
        self.level.setToolTip(tip)
        self.slider.setPageStep(8)
        self.slider.valueChanged.connect(self.level.setValue)
        self.level.valueChanged.connect(self.slider.setValue)
        self.level.valueChanged.connect(lambda _: self.set_reach(None))
        self.seed.setRange(0, _MOST_SEED)
        self.seed.setValue(1)
        self.seed.setToolTip("Which deformation; the same seed gives the same one again")
        self.steps.setSpecialValueText("auto")
        self.steps.setToolTip("Steps of the recovery; auto is what the model asks for")
        for name, value in (("one for all slices", "shared"), ("one each", "each")):
            self.slices.addItem(name, value)
        self.slices.setToolTip("A 2D model on a stack: one deformation for all slices, or one each")
        self.dice.clicked.connect(self.roll)
        self.previous.clicked.connect(lambda: self.step_seed(-1))
        self.following.clicked.connect(lambda: self.step_seed(1))

    def _lay_out(self) -> None:
        form = QFormLayout(self)
        form.setContentsMargins(0, 0, 0, 0)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.addRow("Level", _row(self.slider, self.level))
        form.addRow("", self.reach)
        form.addRow("Seed", _row(self.seed, self.dice, self.previous, self.following))
        form.addRow("Slices", self.slices)
        form.addRow("Steps", self.steps)


class ShowPanel(QWidget):
    """What of a result is shown: ``changed(set)`` with the kinds that are ticked."""

    changed = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        tips = {
            "image": ("warped image", "The new image"),
            "labels": ("labels", "The labels, carried along"),
            "arrows": ("arrows", "From each place in the new image to where it came from, in mm"),
            "Jacobian": (
                "Jacobian",
                "Determinant. Blue, below 1: tissue grew; orange: it shrank; magenta: a fold",
            ),
        }
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        self.legend = note()
        self.boxes = {kind: QCheckBox(name) for kind, (name, _) in tips.items()}
        for place, (kind, box) in enumerate(self.boxes.items()):
            box.setToolTip(tips[kind][1])
            box.setChecked(kind in ("image", "labels"))
            box.toggled.connect(lambda _: self.changed.emit(self.kinds()))
            grid.addWidget(box, place // 2, place % 2)
        grid.addWidget(self.legend, 2, 0, 1, 2)

    def set_legend(self, longest_mm: float | None) -> None:
        """What the colours of the ticked overlays mean; None while there is no result."""
        lines = {
            "arrows": f"arrows: 0 mm blue, {longest_mm or 0:.0f} mm red",
            "Jacobian": "det J: 1/4 blue, 1 clear, 4 orange, folds magenta",
        }
        told = [text for kind, text in lines.items() if kind in self.kinds()]
        self.legend.setText("" if longest_mm is None else "\n".join(told))

    def kinds(self) -> set[str]:
        """The kinds that are ticked."""
        return {kind for kind, box in self.boxes.items() if box.isChecked()}


def _button(text: str, tip: str) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tip)
    button.setMaximumWidth(32)
    return button


def _row(first: QWidget, *others: QWidget) -> QHBoxLayout:
    row = QHBoxLayout()
    row.addWidget(first, 1)
    for widget in others:
        row.addWidget(widget)
    return row
