"""Generate, cancel, export, and how the run goes."""

from __future__ import annotations

import time

from qtpy.QtCore import QTimer, Signal
from qtpy.QtWidgets import QHBoxLayout, QProgressBar, QPushButton, QVBoxLayout, QWidget

from napari_drdm.widgets.message_line import MessageLine

__all__ = ["RunBar"]

_FINE = 1000
#: Seconds between two drawings of the progress, each of which costs the window a frame.
_BETWEEN = 0.5


class RunBar(QWidget):
    """Buttons of a run, its progress, and one line that says how it stands."""

    generate_asked = Signal()
    cancel_asked = Signal()
    export_asked = Signal()
    python_asked = Signal()
    command_asked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.generate = QPushButton("Generate")
        self.cancel = QPushButton("Cancel")
        self.export = QPushButton("Export…")
        self.python = QPushButton("Copy as Python")
        self.command = QPushButton("Copy as command")
        self.progress = QProgressBar()
        self.status = MessageLine(2, "How the last run ended")
        for button, signal, tip in (
            (self.generate, self.generate_asked, "Make a new case (Ctrl+Return)"),
            (self.cancel, self.cancel_asked, "Stop after the current step (Esc)"),
            (self.export, self.export_asked, "Save image, labels, field and recipe into a folder"),
            (self.python, self.python_asked, "Copy a script that makes the shown result again"),
            (self.command, self.command_asked, "Copy a shell command that makes it again"),
        ):
            button.setToolTip(tip)
            button.clicked.connect(signal)
        self.progress.setToolTip("Steps of this run, and the device it runs on")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(_row(self.generate, self.cancel, self.progress))
        column.addWidget(self.status)
        column.addLayout(_row(self.export, self.python, self.command))
        self._words, self._share = "", 0.0
        self._end: float | None = None
        self._second = QTimer(self)
        self._second.setInterval(1000)
        self._second.timeout.connect(self._draw_step)
        self.set_running(False)
        self.set_exportable(False)

    def set_running(self, running: bool) -> None:
        """A run began or none is left."""
        self.cancel.setEnabled(running)
        self._began, self._drawn = time.monotonic(), 0.0
        if running:
            self.show_step(0, 0, "", "preparing")
            self._second.start()
        else:
            self._second.stop()
            self._draw(0, 1, "")

    def set_exportable(self, there: bool) -> None:
        """Whether there is a result to export."""
        for button in (self.export, self.python, self.command):
            button.setEnabled(there)

    def show_step(
        self, index: int, total: int, device: str, doing: str = "", left: float | None = None
    ) -> None:
        """Step ``index`` of ``total`` is done, or something else; a total of 0 is not known yet.

        ``left`` is in seconds, until the whole run is over: the bar shows its share, and counts
        them down. Reports that follow each other fast are drawn twice a second.
        """
        where = f" on {device}" if device else ""
        self._words = f"{doing or f'step {index:.0f} of {total:.0f}'}{where}"
        now = time.monotonic()
        self._share = index / max(total, 1)
        self._end = None if left is None else now + left
        if now - self._drawn >= _BETWEEN:
            self._draw_step()

    def _draw_step(self) -> None:
        """What was last reported, with the time that is left now."""
        self._drawn = now = time.monotonic()
        left = None if self._end is None else max(self._end - now, 0.0)
        if left is not None:
            self._share = (now - self._began) / max(now - self._began + left, 0.001)
        self._draw(round(_FINE * self._share), _FINE, f"{self._words}{_seconds_left(left)}")

    def _draw(self, index: int, total: int, text: str) -> None:
        """The bar redraws itself with the window, not at once: that costs the canvas a frame."""
        self.progress.setUpdatesEnabled(False)
        self.progress.setRange(0, total)
        self.progress.setValue(index)
        self.progress.setFormat(text)
        self.progress.setUpdatesEnabled(True)

    def say(self, text: str) -> None:
        """One line about the last run."""
        self.status.setText(text)


def _seconds_left(left: float | None) -> str:
    """In words, where it is worth showing."""
    return f", {left:.0f} s left" if left is not None and left > 1.5 else ""


def _row(*widgets: QWidget) -> QHBoxLayout:
    """Widgets beside each other; the last takes the room that is left."""
    row = QHBoxLayout()
    row.setSpacing(4)
    for widget in widgets:
        row.addWidget(widget, widget is widgets[-1])
    return row
