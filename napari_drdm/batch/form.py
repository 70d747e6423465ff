"""A batch's fields, its buttons, and how it goes; does no work and knows no viewer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QPlainTextEdit,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_drdm.batch.fields import BatchFields
from napari_drdm.batch.more import BatchFilters, BatchMore
from napari_drdm.widgets.column import Column
from napari_drdm.widgets.message_line import MessageLine
from napari_drdm.widgets.notice import notice_line
from napari_drdm.widgets.picture import PictureView
from napari_drdm.widgets.section import Section

__all__ = ["BatchForm"]


class BatchForm(QWidget):
    """Fields, buttons, progress, log and contact sheet, in a column that scrolls.

    Signals: ``start_asked``, ``pause_asked(bool)``, ``cancel_asked``, ``open_asked`` to see the
    contact sheet as a layer, and ``summary_asked`` for the page about the run.

    Attributes:
        waiting: why Start waits, or nothing.
    """

    start_asked = Signal()
    pause_asked = Signal(bool)
    cancel_asked = Signal()
    open_asked = Signal()
    summary_asked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._running = False
        self.fields, self.filters, self.more = BatchFields(), BatchFilters(), BatchMore()
        self.wanted = Section("Wanted: how far, volumes, labels", self.filters, False)
        self.rest = Section("More: variety, pose, intensity, steps, workers", self.more, False)
        self.start, self.pause = QPushButton("Start"), QPushButton("Pause")
        self.cancel, self.open = QPushButton("Cancel"), QPushButton("Open sheet as a layer")
        self.summary = QPushButton("Open summary")
        self.progress, self.status = QProgressBar(), MessageLine(2, "How the last run ended")
        self.outlook = MessageLine(3, "What Start would make, and its size before compression")
        self.log, self.sheet = QPlainTextEdit(), PictureView()
        self._set_up()
        self._lay_out()
        self.block_start("")
        self.set_running(False)
        self.show_reports(None, None)

    def values(self) -> dict[str, Any]:
        """Values of all fields, by the engine's names."""
        return {**self.fields.values(), **self.filters.values(), **self.more.values()}

    def place(self, values: dict[str, Any]) -> None:
        """Show these values in all fields; the filters open where one is set."""
        for panel in (self.fields, self.filters, self.more):
            panel.place(values)
        self.wanted.set_open(any(self.filters.values().values()))

    def block_start(self, why: str) -> None:
        """Disable Start and show why; without a reason, enable it."""
        self.waiting = why
        self.start.setEnabled(not (self._running or why))
        self.outlook.setText(why)
        self.start.setToolTip(why or "Make the new cases, or go on with them (Ctrl+Return)")

    def set_running(self, running: bool) -> None:
        """A run began, or ended."""
        for panel in (self.fields, self.filters, self.more):
            panel.setEnabled(not running)
        self._running = running
        self.start.setEnabled(not (running or self.waiting))
        self.pause.setEnabled(running)
        self.cancel.setEnabled(running)
        self.set_paused(False)

    def set_paused(self, paused: bool) -> None:
        """Whether the button now pauses or resumes."""
        self.pause.setText("Resume" if paused else "Pause")
        self.pause.setChecked(paused)

    def show_progress(self, done: int, total: int, text: str) -> None:
        """How many of all are done; a total of 0 means not known yet."""
        self.progress.setRange(0, total)
        self.progress.setValue(done)
        self.progress.setFormat(text)

    def add_to_log(self, line: str) -> None:
        """Add a line to the log, which is hidden while it is empty."""
        self.log.setVisible(True)
        self.log.appendPlainText(line)

    def show_reports(self, sheet: Path | None, summary: Path | None) -> None:
        """The contact sheet and the page of a run, or none."""
        self.sheet.show_file(sheet)
        self.open.setVisible(sheet is not None)
        self.summary.setVisible(summary is not None)

    def clear(self) -> None:
        """Remove what the last run has shown."""
        self.log.clear()
        self.log.setVisible(False)
        self.status.setText("")
        self.show_reports(None, None)

    def _set_up(self) -> None:
        self.pause.setCheckable(True)
        self.log.setReadOnly(True)
        self.log.setMaximumBlockCount(1000)
        self.log.setFixedHeight(90)
        self.log.setVisible(False)
        self.start.clicked.connect(self.start_asked)
        self.pause.clicked.connect(self.pause_asked)
        self.cancel.clicked.connect(self.cancel_asked)
        self.open.clicked.connect(self.open_asked)
        self.summary.clicked.connect(self.summary_asked)
        tips = {
            self.pause: "Pause after the current step; several workers finish their cases first",
            self.cancel: "Stop after the current step; finished cases stay (Esc)",
            self.progress: "New cases done, and the time that is left",
            self.log: "Cases that failed, and warnings",
            self.open: "Add the contact sheet to the viewer as an image layer",
            self.summary: "Open the report of this run in the browser",
            self.sheet: "Some cases, each followed by new ones made of it, with their labels",
        }
        for widget, tip in tips.items():
            widget.setToolTip(tip)

    def _lay_out(self) -> None:
        inner, buttons = QWidget(), QGridLayout()
        for place, button in enumerate((self.start, self.pause, self.cancel)):
            buttons.addWidget(button, 0, place)
        column = QVBoxLayout(inner)
        above: tuple[QWidget, ...] = (self.fields, self.wanted, self.rest, self.outlook)
        below: tuple[QWidget, ...] = (self.progress, self.status, self.log, self.sheet)
        for widget in above:
            column.addWidget(widget)
        column.addLayout(buttons)
        for widget in below:
            column.addWidget(widget)
        reports = QHBoxLayout()
        reports.addWidget(self.open)
        reports.addWidget(self.summary)
        column.addLayout(reports)
        column.addStretch(1)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(Column(inner))
        whole.addWidget(notice_line())
