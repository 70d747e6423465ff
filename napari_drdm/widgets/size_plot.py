"""Sizes of labels over seeds: a dot for each result in a column for each label, 1 is the source's.

After napari-matplotlib's widgets: ``figure``, ``axes`` and ``canvas``, the colours of the window's
theme, no background. matplotlib is loaded when the plot is first shown.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from qtpy.QtCore import QEvent, QTimer, Signal
from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import QVBoxLayout, QWidget

__all__ = ["PlottedLabel", "PlottedSeed", "SizePlot"]

_HEIGHT = 170
#: Milliseconds in which several changes are drawn once.
_WAIT_MS = 60
#: Half the width of a column of dots, and how near a click has to be, in pixels.
_SPREAD, _NEAR = 0.28, 12.0
_KEPT, _TRIED, _CURRENT, _BAND = "#3f9bd8", "#8a8a8a", "#ff9f1c", "#4caf6d"
_GOLDEN = 0.6180339887
#: Factors beside the axis, where it covers much or little.
_COARSE, _FINE = (0.25, 0.35, 0.5, 0.7, 1, 1.4, 2, 2.8, 4), (0.8, 0.9, 1, 1.1, 1.2, 1.3)


@dataclass(frozen=True)
class PlottedLabel:
    """A column: the label's value, what stands below it, and the wanted range as factors."""

    value: int
    text: str
    band: tuple[float, float] | None = None


@dataclass(frozen=True)
class PlottedSeed:
    """A result: its key, its sizes by label as factors of the source's.

    Attributes:
        kept: it is one of the variants; others were tried and left.
        current: it is on view.
    """

    key: Hashable
    factors: tuple[tuple[int, float], ...]
    kept: bool = True
    current: bool = False


class SizePlot(QWidget):
    """``picked(object)``: the key of a dot that was clicked."""

    picked = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.figure: Any = None
        self.canvas: Any = None
        self.axes: Any = None
        self._labels: tuple[PlottedLabel, ...] = ()
        self._seeds: tuple[PlottedSeed, ...] = ()
        self._dots: list[tuple[Hashable, float, float]] = []
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(_WAIT_MS)
        self._soon.timeout.connect(self.draw)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self.setFixedHeight(_HEIGHT)
        self.setToolTip(
            "Sizes of labels over the seeds so far, as multiples of the source's (dashed).\n"
            "Orange: on view. Grey: tried, not kept. Click a dot to show that result"
        )

    def show_seeds(self, labels: Sequence[PlottedLabel], seeds: Sequence[PlottedSeed]) -> None:
        """Show these columns and dots; drawn soon, and only while the plot is visible."""
        self._labels, self._seeds = tuple(labels), tuple(seeds)
        if self.isVisible():
            self._soon.start()

    def place(self, key: Hashable, value: int) -> tuple[float, float] | None:
        """Where the dot of a result and label is, in data coordinates; None where there is none."""
        columns = [label.value for label in self._labels]
        for seed in self._seeds:
            factor = dict(seed.factors).get(value, 0.0)
            if seed.key == key and value in columns and factor > 0:
                return columns.index(value) + _aside(self._seeds.index(seed)), factor
        return None

    def showEvent(self, event: QShowEvent | None) -> None:
        """Draw what came while it was hidden."""
        super().showEvent(event)
        self._soon.start()

    def changeEvent(self, event: QEvent | None) -> None:
        """Follow the theme."""
        super().changeEvent(event)
        if event and event.type() in (QEvent.Type.PaletteChange, QEvent.Type.StyleChange):
            self._soon.start()

    def draw(self) -> None:
        """Draw everything anew."""
        if not self.isVisible():
            return
        if self.canvas is None:
            self._make()
        axes = self.axes
        axes.clear()
        self._dots = []
        for kept in (False, True):
            for index, seed in enumerate(self._seeds):
                if seed.kept is kept:
                    self._scatter(index, seed)
        self._frame()
        self.canvas.draw_idle()

    def _make(self) -> None:
        from matplotlib.backends.backend_qtagg import FigureCanvasQTAgg
        from matplotlib.figure import Figure

        self.figure = Figure(layout="constrained")
        canvas: Any = FigureCanvasQTAgg
        self.canvas = canvas(self.figure)
        self.canvas.setStyleSheet("background: transparent")
        self.figure.patch.set_alpha(0)
        self.axes = self.figure.add_subplot()
        self.canvas.mpl_connect("button_press_event", self._on_click)
        self._column.addWidget(self.canvas)

    def _scatter(self, index: int, seed: PlottedSeed) -> None:
        places = [self.place(seed.key, label.value) for label in self._labels]
        found = [place for place in places if place is not None]
        if not found:
            return
        x, y = zip(*found, strict=True)
        self._dots += [(seed.key, *place) for place in found]
        colour = _CURRENT if seed.current else _KEPT if seed.kept else _TRIED
        size = 34 if seed.current else 16 if seed.kept else 7
        self.axes.scatter(x, y, s=size, c=colour, linewidths=0, zorder=3 + seed.current + seed.kept)

    def _frame(self) -> None:
        axes, text = self.axes, self.palette().color(self.foregroundRole()).name()
        axes.set_facecolor("none")
        axes.axhline(1, color=text, linewidth=1, linestyle="--", zorder=2)
        for at, label in enumerate(self._labels):
            if label.band is not None:
                low, high = label.band
                axes.fill_between((at - 0.42, at + 0.42), low, high, color=_BAND, alpha=0.25)
        axes.set_xticks(range(len(self._labels)), [label.text for label in self._labels])
        axes.set_xlim(-0.5, max(len(self._labels), 1) - 0.5)
        axes.set_yscale("log", base=2)
        low, high = self._range()
        axes.set_ylim(low, high)
        ticks = [t for t in (_COARSE if high > 1.7 * low else _FINE) if low <= t <= high]
        axes.set_yticks(ticks, [f"×{t:g}" for t in ticks])
        axes.minorticks_off()
        axes.tick_params(colors=text, labelsize=8, length=2)
        for name, spine in axes.spines.items():
            spine.set_visible(name in ("left", "bottom"))
            spine.set_edgecolor(text)

    def _range(self) -> tuple[float, float]:
        """Factors that the axis shows: all dots and ranges, at least 0.88 to 1.14."""
        ends = [y for _, _, y in self._dots]
        ends += [end for label in self._labels if label.band for end in label.band if end > 0]
        return min(0.88, *(0.97 * end for end in ends), 1), max(1.14, *(1.03 * e for e in ends), 1)

    def _on_click(self, event: Any) -> None:
        if event.inaxes is not self.axes or not self._dots:
            return
        places = self.axes.transData.transform([(x, y) for _, x, y in self._dots])
        away = np.linalg.norm(places - (event.x, event.y), axis=1)
        nearest = int(away.argmin())
        if away[nearest] <= _NEAR:
            self.picked.emit(self._dots[nearest][0])


def _aside(index: int) -> float:
    """How far a dot is beside the middle of its column: spread evenly, and always the same."""
    return _SPREAD * (2 * (index * _GOLDEN % 1) - 1)
