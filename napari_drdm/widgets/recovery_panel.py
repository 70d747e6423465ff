"""The run step by step: a slider from the random field to the recovered one, and play."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from qtpy.QtCore import Qt, QTimer, Signal
from qtpy.QtWidgets import QGridLayout, QLabel, QPushButton, QSizePolicy, QSlider, QWidget

from napari_drdm.widgets.curve import CURVES, Curve

if TYPE_CHECKING:
    from src_core.inspection.trajectory import Trajectory, TrajectoryPoint

__all__ = ["RecoveryPanel"]

#: Stops of the slider between two steps.
_FINE = 10
_TICK_MS = 50
_FILM_SECONDS = 3.0


class RecoveryPanel(QWidget):
    """``moved(float)``: show this moment of the run, in steps.

    Attributes:
        hold: whether playing has to wait for the picture.
        unit: of lengths.
    """

    moved = Signal(float)

    def __init__(self) -> None:
        super().__init__()
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.play = QPushButton("▶")
        self.curve, self.numbers = Curve(), QLabel()
        self._total = self._planned = 0
        self.unit = "mm"
        self.hold: Callable[[], bool] = lambda: False
        self._timer = QTimer(self)
        self._set_up()
        self._lay_out()
        self.show_run(None)

    @property
    def position(self) -> float:
        """The moment that the slider stands at, in steps."""
        return self.slider.value() / _FINE

    @property
    def at_end(self) -> bool:
        """Whether the recovered field is on view."""
        return self.slider.value() >= self.slider.maximum()

    @property
    def playing(self) -> bool:
        """Whether the run is being played."""
        return self._timer.isActive()

    def show_run(self, trace: Trajectory | None) -> None:
        """A run that may be scrubbed through, or none; the slider goes to its end."""
        self.stop()
        self._set_total(trace.total if trace else 0)
        curve = trace.curve if trace and trace.total else ()
        self._planned = trace.planned if trace else 0
        keys = ("max_mm", "min_det", *(("remaining_mm",) if trace and trace.whole else ()))
        lines = [[getattr(n, key) for n in curve] for key in keys]
        self.curve.show_lines(lines if curve else [])
        self.setEnabled(bool(curve))
        self._place(self.slider.maximum())
        self.show_numbers(curve[-1] if curve else None)

    def follow(self, position: float, total: int) -> None:
        """Show where a run under way is."""
        self.stop()
        self._set_total(total)
        self.curve.show_lines([])
        self.setEnabled(False)
        self._place(round(position * _FINE))
        self.numbers.setText(f"step {position:.0f} of {total}" if total else "")

    def show_numbers(self, numbers: TrajectoryPoint | None) -> None:
        """The moment that is shown, in figures."""
        if numbers is None:
            self.numbers.setText("")
            return
        left, unit = numbers.remaining_mm, self.unit
        step = f"step {round(numbers.position, 1):g} of {self._planned}"
        self.numbers.setText(
            f"{step}: {numbers.max_mm:.1f} {unit}, det J {numbers.min_det:.2f}, "
            + ("cancelled" if left is None else f"{left:.1f} {unit} to go")
        )

    def toggle(self) -> None:
        """Play from here, from the start if at the end; or stop."""
        if self.playing:
            self.stop()
            return
        if self.at_end:
            self.slider.setValue(0)
        self._show_playing(True)
        self._timer.start()

    def stop(self) -> None:
        """Stop playing."""
        self._timer.stop()
        self._show_playing(False)

    def _show_playing(self, playing: bool) -> None:
        self.play.setText("■" if playing else "▶")
        self.play.setAccessibleName("Stop playing" if playing else "Play the recovery")

    def _advance(self) -> None:
        if self.hold():
            return
        by = max(1, round(self.slider.maximum() * _TICK_MS / 1000 / _FILM_SECONDS))
        self.slider.setValue(self.slider.value() + by)
        if self.at_end:
            self.stop()

    def _set_total(self, total: int) -> None:
        self._total = total
        self.slider.blockSignals(True)
        self.slider.setRange(0, max(total, 1) * _FINE)
        self.slider.blockSignals(False)

    def _place(self, value: int) -> None:
        self.slider.blockSignals(True)
        self.slider.setValue(value)
        self.slider.blockSignals(False)
        self.curve.mark(value / max(self.slider.maximum(), 1))

    def _on_slider(self, value: int) -> None:
        self.curve.mark(value / max(self.slider.maximum(), 1))
        self.moved.emit(value / _FINE)

    def _set_up(self) -> None:
        self.slider.setToolTip("Any step of the run: random at the left, recovered at the right")
        self.slider.setAccessibleName("Step of the run")
        self.slider.setPageStep(_FINE)
        self.slider.setSingleStep(1)
        self.slider.valueChanged.connect(self._on_slider)
        self.slider.sliderPressed.connect(self.stop)
        self.play.setToolTip("Play the recovery, from random to recovered (Ctrl+P)")
        self.play.setMaximumWidth(32)
        self.play.clicked.connect(self.toggle)
        self.curve.picked.connect(lambda at: self.slider.setValue(round(at * self._total * _FINE)))
        legend = ", ".join(f'<span style="color:{c}">{n}</span>' for n, c in CURVES)
        self.numbers.setToolTip(
            "The step shown: largest displacement, smallest Jacobian determinant, "
            f"and the displacement that is left to recover. Lines: {legend}"
        )
        # what it says never widens the dock
        self.numbers.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._timer.setInterval(_TICK_MS)
        self._timer.timeout.connect(self._advance)

    def _lay_out(self) -> None:
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setVerticalSpacing(2)
        title = QLabel("Recovery")
        title.setToolTip(self.slider.toolTip())
        grid.addWidget(title, 0, 0)
        grid.addWidget(self.slider, 0, 1)
        grid.addWidget(self.play, 0, 2)
        grid.addWidget(self.curve, 1, 0, 1, 3)
        grid.addWidget(self.numbers, 2, 0, 1, 3)
        grid.setColumnStretch(1, 1)
