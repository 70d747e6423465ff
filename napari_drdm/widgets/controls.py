"""Options of a generation: level, seed and variety always shown, the rest in a section."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QCheckBox, QComboBox, QLabel, QPushButton, QSizePolicy, QSlider, QWidget

from napari_drdm.widgets.layout import form_of, row_of
from napari_drdm.widgets.option_controls import LARGEST_INT, OptionsForm, control_of
from napari_drdm.widgets.sources import Choice, ManyChoice
from napari_drdm.widgets.variety_row import VarietyRow
from src_core.augment.request import NOT_SHARED
from src_core.errors.options import EXPLORER, OptionField, option_field, shown_in
from src_core.generation.options import Options
from src_core.models.options import ModelOptions

__all__ = ["MorePanel", "OptionsPanel", "device_box", "offer_devices"]


class OptionsPanel(QWidget):
    """Level, seed, variety, and whether a change computes at once: ``changed()`` when one moves."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._level, self._seed = (control_of(option_field(Options, n)) for n in ("level", "seed"))
        self.level, self.seed = self._level.widget, self._seed.widget
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.reach, self.variety = QLabel(), VarietyRow(self)
        self._strength, self._reached = "", False
        self.live = QCheckBox("Live")
        self.dice = _button("⚄", "A random seed (Ctrl+D)")
        self.previous = _button("‹", "Previous seed (Ctrl+,)")
        self.following = _button("›", "Next seed (Ctrl+.)")
        self._set_up()
        self._lay_out()
        self.set_levels(80)
        self.slider.setValue(self._level.option.default)

    def values(self) -> dict[str, Any]:
        """Options of a generation, by the names of the engine."""
        level, seed = self._level.value(), self._seed.value()
        return {"level": level, "seed": seed, "variety": self.variety.value()}

    def place(self, level: int, seed: int, variety: float | None = None) -> None:
        """Put the controls where a result had them, without a signal."""
        blocked = self.slider.blockSignals(True)
        self.slider.setValue(level)
        self.slider.blockSignals(blocked)
        self._level.place_silently(level)
        self._seed.place_silently(seed)
        self.variety.place(variety)

    def set_levels(self, levels: int) -> None:
        """The highest level there is."""
        self.slider.setRange(0, levels)
        self.level.setRange(0, levels)

    def set_reach(self, percent: float | None) -> None:
        """Largest displacement of this level's result, % of the longer side; None when unknown."""
        if percent is not None:
            self.reach.setText(f"at most {percent:.0f} % of the longer side")
        else:
            self.reach.setText(self._strength)
        self._reached = percent is not None

    def set_strength(self, text: str) -> None:
        """How strong the deformation will be; a result's own reach takes its place."""
        self._strength = text
        if not self._reached:
            self.set_reach(None)

    def forget_reach(self) -> None:
        """What was measured is of another level, seed, image or model."""
        self._strength = ""
        self.set_reach(None)

    def roll(self) -> None:
        """Another seed, at random."""
        self.seed.setValue(random.randrange(10_000))

    def step_seed(self, by: int) -> None:
        """The next or the previous seed."""
        self.seed.setValue(min(max(self.seed.value() + by, 0), LARGEST_INT))

    def _set_up(self) -> None:
        self.slider.setToolTip(self.level.toolTip())
        policy = self.reach.sizePolicy()
        policy.setHorizontalPolicy(QSizePolicy.Policy.Ignored)  # it does not widen the dock
        self.reach.setSizePolicy(policy)
        self.reach.setToolTip(
            "Before a run: how far the random field of this level and seed moves the image, on "
            "average and in all but 5 % of it; recovery takes part of it back. After a run: the "
            "largest displacement in the result"
        )
        self.slider.setPageStep(8)
        self.slider.valueChanged.connect(self.level.setValue)
        self.level.valueChanged.connect(self.slider.setValue)
        self.level.valueChanged.connect(lambda _: self.forget_reach())
        self.seed.valueChanged.connect(lambda _: self.forget_reach())
        self.level.valueChanged.connect(lambda _: self.changed.emit())
        self.seed.valueChanged.connect(lambda _: self.changed.emit())
        self.variety.changed.connect(self.changed)
        self.live.setChecked(True)
        self.live.setToolTip("Compute as soon as level or seed change; otherwise only on Generate")
        self.dice.clicked.connect(self.roll)
        self.previous.clicked.connect(lambda: self.step_seed(-1))
        self.following.clicked.connect(lambda: self.step_seed(1))
        self.set_reach(None)

    def _lay_out(self) -> None:
        form, seed = form_of(self), self._seed
        form.addRow(self._level.option.label, row_of(self.slider, self.level))
        form.addRow("", self.reach)
        buttons = self.dice, self.previous, self.following, self.live
        form.addRow(seed.option.label, row_of(seed.widget, *buttons))
        form.addRow(self.variety.label, row_of(*self.variety.widgets))


class MorePanel(QWidget):
    """What is seldom changed: ``changed()`` when it is, ``region_asked()`` to draw a region.

    ``memory_changed(int)``: MB that results may take.

    Args:
        memory: the option that says so.
        results: whether results are offered as sources.
    """

    changed = Signal()
    memory_changed = Signal(int)
    region_asked = Signal()

    def __init__(self, memory: OptionField, results: OptionField) -> None:
        super().__init__()
        self.options = OptionsForm(shown_in(EXPLORER, Options, (*NOT_SHARED, "variety")))
        self.steps, self.slices = (self.options.controls[n].widget for n in ("steps", "slices"))
        region = option_field(Options, "region")
        self.region = Choice("A shapes layer: only the box around its shapes is deformed", "all")
        self.extras = ManyChoice("none", "Further images and labels of the same voxels, warped too")
        self.device = device_box()
        self._draw = _button("Draw", "Add a shapes layer to draw a region of interest in")
        self._draw.setMaximumWidth(60)
        rows = self.options.rows  # one form, so that all fields begin in one line
        rows.insertRow(0, "Also warp", self.extras)
        rows.insertRow(1, region.label, row_of(self.region, self._draw))
        rows.addRow(option_field(ModelOptions, "device").label, self.device)
        self._memory = control_of(memory)
        self.memory = self._memory.widget
        rows.addRow(memory.label, self.memory)
        self.offer_results: QCheckBox = control_of(results).widget
        rows.addRow("", self.offer_results)
        form_of(self).addRow(self.options)
        self._connect()

    def values(self) -> dict[str, Any]:
        """Options of a generation, by the names of the engine; text forms as text."""
        return self.options.values()

    def place(self, values: Mapping[str, Any]) -> None:
        """Put the controls where a result had them, without a signal."""
        self.options.place_silently(values)

    def show_used(self, mb: float) -> None:
        """How much memory results take now, MB."""
        help_text = self._memory.option.help
        self.memory.setToolTip(f"{help_text}\nIn use: at most {mb:.0f} MB")

    def set_levels(self, levels: int) -> None:
        """The highest level there is, and so the most steps."""
        self.steps.setRange(0, levels)

    def set_default_steps(self, steps: int) -> None:
        """The model's own number of steps."""
        self.steps.setSpecialValueText(f"auto ({steps})")

    def set_stack(self, stack: bool) -> None:
        """Whether there are slices to choose for."""
        self.slices.setEnabled(stack)

    def offer_devices(self, devices: Sequence[tuple[str, str]], pick: str = "auto") -> None:
        """Devices by name and in words."""
        offer_devices(self.device, devices, pick)

    def _connect(self) -> None:
        self._draw.clicked.connect(self.region_asked)
        self.region.chosen.connect(lambda _: self.changed.emit())
        self.extras.changed.connect(self.changed)
        self.options.changed.connect(self.changed)
        self.device.currentIndexChanged.connect(lambda _: self.changed.emit())
        self.memory.valueChanged.connect(self.memory_changed)


def device_box() -> QComboBox:
    """A list of devices, with the default alone until they are known."""
    option, box = option_field(ModelOptions, "device"), QComboBox()
    box.setToolTip(option.help)
    box.addItem(option.default, option.default)
    return box


def offer_devices(box: QComboBox, devices: Sequence[tuple[str, str]], pick: str = "auto") -> None:
    """Fill a list with devices by name and in words, without a signal."""
    box.blockSignals(True)
    box.clear()
    for name, words in devices:
        box.addItem(words, name)
    box.setCurrentIndex(max(0, box.findData(pick)))
    box.blockSignals(False)


def _button(text: str, tip: str) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tip)
    button.setMaximumWidth(32)
    return button
