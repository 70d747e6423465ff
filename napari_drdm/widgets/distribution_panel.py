"""Label sizes over the seeds so far, and a search for seeds whose label has a wanted size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QComboBox,
    QDoubleSpinBox,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from napari_drdm.widgets.message_line import MessageLine
from napari_drdm.widgets.size_plot import SizePlot

__all__ = ["DistributionPanel", "SearchedLabel"]

_EMPTY = "Choose labels: their sizes over the seeds so far are plotted here."
#: The range that is offered first, as factors of the source's size.
_FIRST = (0.85, 1.15)
_LARGEST = 1e9


@dataclass(frozen=True)
class SearchedLabel:
    """A label on offer: its value, its name, its size in the source, and the unit of that."""

    value: int
    name: str
    size: float
    unit: str


class DistributionPanel(QWidget):
    """A plot, and the row of a search: ``search_asked(bool)`` begins or ends it.

    ``changed()``: the wanted range is another.

    Attributes:
        plot: the sizes.
        wanted: how many seeds.
        label: the label.
        low: least size, in the label's unit.
        high: largest size.
        tries: how many seeds are tried at most.
        search: begins a search, and ends it.
    """

    search_asked = Signal(bool)
    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.plot, self.label = SizePlot(), QComboBox()
        self.wanted, self.tries = QSpinBox(), QSpinBox()
        self.low, self.high = QDoubleSpinBox(), QDoubleSpinBox()
        self._unit = QLabel("ml")
        self.search, self.progress = QPushButton("Find"), QProgressBar()
        self.status = MessageLine(2)
        self._offered: tuple[SearchedLabel, ...] = ()
        self._set_up()
        self._lay_out()
        self.offer(())

    def offer(self, labels: Sequence[SearchedLabel]) -> None:
        """Offer labels; the one chosen stays so, with its range, where its size is the same."""
        if tuple(labels) == self._offered:
            return
        before, self._offered = self.chosen(), tuple(labels)
        self.label.blockSignals(True)
        self.label.clear()
        self.label.addItems([label.name for label in labels])
        self.label.blockSignals(False)
        if before in self._offered:
            self.label.setCurrentIndex(self._offered.index(before))
        else:
            self._on_label()
        for widget in (self.label, self.low, self.high, self.search):
            widget.setEnabled(bool(labels))
        self.plot.setVisible(bool(labels))
        self.say("" if labels else _EMPTY)

    def chosen(self) -> SearchedLabel | None:
        """The label that is searched for."""
        index = self.label.currentIndex()
        return self._offered[index] if 0 <= index < len(self._offered) else None

    def place(self, wanted: int, label: str | None, low: float, high: float, tries: int) -> None:
        """Put the search where it was; the range where there is a label of that name."""
        self.wanted.setValue(wanted)
        self.tries.setValue(tries)
        names = [offered.name for offered in self._offered]
        if label in names:
            self.label.setCurrentIndex(names.index(label))
            self.low.setValue(low)
            self.high.setValue(high)

    def set_running(self, running: bool) -> None:
        """A search began or none is left."""
        self.search.blockSignals(True)
        self.search.setChecked(running)
        self.search.blockSignals(False)
        self.search.setText("Cancel" if running else "Find")
        self.progress.setVisible(running)
        if running:
            self.show_progress(0, 0)

    def show_progress(self, found: int, tried: int) -> None:
        """How many seeds fit, of how many tried."""
        self.progress.setRange(0, self.wanted.value())
        self.progress.setValue(found)
        self.progress.setFormat(f"{found} of {self.wanted.value()}, {tried} tried")

    def say(self, text: str) -> None:
        """One line about the last search."""
        self.status.setText(text)

    def _set_up(self) -> None:
        for box, value, most, tip in (
            (self.wanted, 20, 50, "How many seeds are wanted"),
            (self.tries, 200, 10_000, "How many seeds are tried at most"),
        ):
            box.setRange(1, most)
            box.setValue(value)
            box.setToolTip(tip)
        for limit, tip in ((self.low, "Least size"), (self.high, "Largest size")):
            limit.setRange(0, _LARGEST)
            limit.setToolTip(f"{tip} of the label")
            limit.valueChanged.connect(lambda _: self.changed.emit())
        self.label.setToolTip("The label whose size is wanted")
        self.label.currentIndexChanged.connect(lambda _: self._on_label())
        self.search.setCheckable(True)
        self.search.setToolTip(
            "Try one seed after the other, from the current one on, until enough fit;\n"
            "those that fit go into Variants. Press again to cancel"
        )
        self.search.toggled.connect(self.search_asked)
        for name, box in (("Seeds wanted", self.wanted), ("Tries at most", self.tries)):
            box.setAccessibleName(name)
        room = self.progress.sizePolicy()
        room.setRetainSizeWhenHidden(True)
        self.progress.setSizePolicy(room)
        self.progress.setVisible(False)

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(3)
        column.addWidget(self.plot)
        column.addLayout(_row(self.wanted, QLabel("seeds with"), self.label))
        column.addLayout(_row(QLabel("of"), self.low, QLabel("to"), self.high, self._unit))
        column.addLayout(_row(QLabel("in at most"), self.tries, QLabel("tries"), self.search))
        column.addWidget(self.progress)
        column.addWidget(self.status)

    def _on_label(self) -> None:
        """Another label: a range around its size in the source."""
        label = self.chosen()
        if label is None:
            return
        decimals = 0 if label.size >= 100 else 1 if label.size >= 10 else 2
        for limit, factor in zip((self.low, self.high), _FIRST, strict=True):
            limit.setDecimals(decimals)
            limit.setSingleStep(max(round(label.size / 50, decimals), 10.0**-decimals))
            limit.setValue(factor * label.size)
        self._unit.setText(label.unit)
        self.changed.emit()


def _row(*widgets: QWidget) -> QHBoxLayout:
    """Widgets beside each other, boxes as wide as there is room."""
    row = QHBoxLayout()
    row.setSpacing(4)
    for widget in widgets:
        row.addWidget(widget, 0 if isinstance(widget, QLabel | QPushButton) else 1)
    return row
