"""How far, which draw, and how: level and seed always in sight, the rest on request."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSlider,
    QSpinBox,
    QWidget,
)

from napari_drdm.widgets.sources import Choice, ManyChoice

__all__ = ["MorePanel", "OptionsPanel", "form_of", "offer_devices", "row_of"]

_MOST_SEED = 2**31 - 1


class OptionsPanel(QWidget):
    """Level, seed, and whether moving them computes at once: ``changed()`` when either moves."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.level = QSpinBox()
        self.reach = QLabel()
        self.seed = QSpinBox()
        self.live = QCheckBox("Live")
        self.dice = _button("⚄", "A seed by chance (Ctrl+D)")
        self.previous = _button("‹", "One seed back (Ctrl+,)")
        self.following = _button("›", "One seed on (Ctrl+.)")
        self._set_up()
        self._lay_out()
        self.set_levels(80)
        self.slider.setValue(48)

    def values(self) -> dict[str, object]:
        """Options of a generation, by the names of the engine."""
        return {"level": self.level.value(), "seed": self.seed.value()}

    def place(self, level: int, seed: int) -> None:
        """Put level and seed where a result had them, without a word."""
        for control, value in ((self.slider, level), (self.level, level), (self.seed, seed)):
            control.blockSignals(True)
            control.setValue(value)
            control.blockSignals(False)

    def set_levels(self, levels: int) -> None:
        """The highest level there is."""
        self.slider.setRange(0, levels)
        self.level.setRange(0, levels)

    def set_reach(self, percent: float | None) -> None:
        """How far the present level's result went, % of the longer side; None when unknown."""
        said = (
            "0 is the image itself" if percent is None else f"at most {percent:.0f} % of the side"
        )
        self.reach.setText(said)

    def roll(self) -> None:
        """Another seed by chance."""
        self.seed.setValue(random.randrange(10_000))

    def step_seed(self, by: int) -> None:
        """The next or the previous seed."""
        self.seed.setValue(min(max(self.seed.value() + by, 0), _MOST_SEED))

    def _set_up(self) -> None:
        tip = "How strong the deformation is: 0 is the image itself"
        self.slider.setToolTip(tip)
        self.level.setToolTip(tip)
        self.reach.setToolTip("How far anything was moved by the result of this level, at most")
        self.slider.setPageStep(8)
        self.slider.valueChanged.connect(self.level.setValue)
        self.level.valueChanged.connect(self.slider.setValue)
        self.level.valueChanged.connect(lambda _: self.set_reach(None))
        self.level.valueChanged.connect(lambda _: self.changed.emit())
        self.seed.setRange(0, _MOST_SEED)
        self.seed.setValue(1)
        self.seed.setToolTip("Which deformation; the same seed gives the same one again")
        self.seed.valueChanged.connect(lambda _: self.changed.emit())
        self.live.setChecked(True)
        self.live.setToolTip("Compute as soon as level or seed move; else on Generate alone")
        self.dice.clicked.connect(self.roll)
        self.previous.clicked.connect(lambda: self.step_seed(-1))
        self.following.clicked.connect(lambda: self.step_seed(1))
        self.set_reach(None)

    def _lay_out(self) -> None:
        form = form_of(self)
        form.addRow("Level", row_of(self.slider, self.level))
        form.addRow("", self.reach)
        form.addRow("Seed", row_of(self.seed, self.dice, self.previous, self.following, self.live))


class MorePanel(QWidget):
    """What is seldom changed: ``changed()`` when it is, ``region_asked()`` to draw a region."""

    changed = Signal()
    region_asked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.steps, self.slices = QSpinBox(), QComboBox()
        self.region = Choice("A shapes layer: only the box round its shapes is deformed", "all")
        self.extras = ManyChoice("none", "Further images and labels of the same voxels, warped too")
        self.device = QComboBox()
        self._draw = _button("Draw", "Add a shapes layer to draw a region of interest in")
        self._draw.setMaximumWidth(60)
        self._set_up()
        form = form_of(self)
        form.addRow("Also warp", self.extras)
        form.addRow("Region", row_of(self.region, self._draw))
        form.addRow("Slices", self.slices)
        form.addRow("Steps", self.steps)
        form.addRow("Device", self.device)

    def values(self) -> dict[str, object]:
        """Options of a generation, by the names of the engine."""
        return {"steps": self.steps.value() or None, "slices": self.slices.currentData()}

    def place(self, steps: int | None, slices: str) -> None:
        """Put the controls where a result had them, without a word."""
        for control in (self.steps, self.slices):
            control.blockSignals(True)
        self.steps.setValue(steps or 0)
        self.slices.setCurrentIndex(self.slices.findData(slices))
        for control in (self.steps, self.slices):
            control.blockSignals(False)

    def set_levels(self, levels: int) -> None:
        """The highest level there is, and so the most steps."""
        self.steps.setRange(0, levels)

    def set_default_steps(self, steps: int) -> None:
        """What the model asks for."""
        self.steps.setSpecialValueText(f"auto ({steps})")

    def set_stack(self, stack: bool) -> None:
        """Whether there are slices to choose for."""
        self.slices.setEnabled(stack)

    def offer_devices(self, devices: Sequence[tuple[str, str]], pick: str = "auto") -> None:
        """Devices by name and in words."""
        offer_devices(self.device, devices, pick)

    def _set_up(self) -> None:
        self.steps.setSpecialValueText("auto")
        self.steps.setToolTip("Steps of the recovery; auto is what was measured best for the model")
        for name, value in (("one for all slices", "shared"), ("one each", "each")):
            self.slices.addItem(name, value)
        self.slices.setToolTip("A 2D model on a stack: one deformation for all slices, or one each")
        self.device.setToolTip("Where the network runs; auto takes a GPU where there is one")
        self.device.addItem("auto", "auto")
        self._draw.clicked.connect(self.region_asked)
        self.region.chosen.connect(lambda _: self.changed.emit())
        self.extras.changed.connect(self.changed)
        self.steps.valueChanged.connect(lambda _: self.changed.emit())
        self.slices.currentIndexChanged.connect(lambda _: self.changed.emit())
        self.device.currentIndexChanged.connect(lambda _: self.changed.emit())


def offer_devices(box: QComboBox, devices: Sequence[tuple[str, str]], pick: str = "auto") -> None:
    """Fill a box with devices by name and in words, without a word."""
    box.blockSignals(True)
    box.clear()
    for name, words in devices:
        box.addItem(words, name)
    box.setCurrentIndex(max(0, box.findData(pick)))
    box.blockSignals(False)


def form_of(widget: QWidget) -> QFormLayout:
    """A form that lays out a widget, without margins."""
    form = QFormLayout(widget)
    form.setContentsMargins(0, 0, 0, 0)
    form.setVerticalSpacing(3)
    form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
    return form


def _button(text: str, tip: str) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tip)
    button.setMaximumWidth(32)
    return button


def row_of(first: QWidget, *others: Any) -> QHBoxLayout:
    """Widgets side by side, the first as wide as it can be."""
    row = QHBoxLayout()
    row.setSpacing(4)
    row.addWidget(first, 1)
    for widget in others:
        row.addWidget(widget)
    return row
