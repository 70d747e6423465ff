"""A batch's fields, its buttons, and how it goes; does no work and knows no viewer."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QFrame,
    QGridLayout,
    QPlainTextEdit,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from napari_drdm.widgets.batch_fields import BatchFields
from napari_drdm.widgets.picture import PictureView
from napari_drdm.widgets.sources import note

__all__ = ["BatchForm"]


class BatchForm(QWidget):
    """Fields, buttons, progress, log and contact sheet, in a column that scrolls.

    Signals: ``start_asked``, ``pause_asked(bool)``, ``cancel_asked``, and ``open_asked`` to see
    the contact sheet as a layer.
    """

    start_asked = Signal()
    pause_asked = Signal(bool)
    cancel_asked = Signal()
    open_asked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.fields = BatchFields()
        self.start, self.pause = QPushButton("Start"), QPushButton("Pause")
        self.cancel, self.open = QPushButton("Cancel"), QPushButton("Open sheet as a layer")
        self.progress, self.status, self.outlook = QProgressBar(), note(), note()
        self.log, self.sheet = QPlainTextEdit(), PictureView()
        self._set_up()
        self._lay_out()
        self.set_running(False)
        self.show_sheet(None)

    def set_running(self, running: bool) -> None:
        """A run began, or ended."""
        self.fields.setEnabled(not running)
        self.start.setEnabled(not running)
        self.pause.setEnabled(running)
        self.cancel.setEnabled(running)
        self.set_paused(False)

    def set_paused(self, paused: bool) -> None:
        """Whether the button now pauses or goes on."""
        self.pause.setText("Go on" if paused else "Pause")
        self.pause.setChecked(paused)

    def show_progress(self, done: int, total: int, text: str) -> None:
        """So many of all are done; a total of 0 is not known yet."""
        self.progress.setRange(0, total)
        self.progress.setValue(done)
        self.progress.setFormat(text)

    def tell(self, line: str) -> None:
        """A line in the log, which shows from the first one on."""
        self.log.setVisible(True)
        self.log.appendPlainText(line)

    def show_sheet(self, path: Path | None) -> None:
        """The contact sheet, or none."""
        self.sheet.show_file(path)
        self.open.setVisible(path is not None)

    def clear(self) -> None:
        """Forget what the run before has shown."""
        self.log.clear()
        self.log.setVisible(False)
        self.status.setText("")
        self.show_sheet(None)

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
        tips = {
            self.start: "Make the new cases, or go on with them (Ctrl+Return)",
            self.pause: "Wait after the present step, and go on",
            self.cancel: "Stop after the present step; what is made stays, Start goes on (Esc)",
            self.outlook: "What Start would make, and the room it takes before compression",
            self.progress: "New cases done, and the time that is left",
            self.log: "Cases that failed, and what else should be known",
            self.open: "Add the contact sheet to the viewer as an image layer",
            self.status: "How the last run ended",
            self.sheet: "Some cases, each before new ones made of it, with their labels",
        }
        for widget, tip in tips.items():
            widget.setToolTip(tip)

    def _lay_out(self) -> None:
        inner, buttons = QWidget(), QGridLayout()
        for place, button in enumerate((self.start, self.pause, self.cancel)):
            buttons.addWidget(button, 0, place)
        column = QVBoxLayout(inner)
        column.addWidget(self.fields)
        column.addWidget(self.outlook)
        column.addLayout(buttons)
        for widget in (self.progress, self.status, self.log, self.sheet, self.open):
            column.addWidget(widget)
        column.addStretch(1)
        self._scroll(inner)

    def _scroll(self, inner: QWidget) -> None:
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(inner)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(area)
        self.setMinimumWidth(330)
