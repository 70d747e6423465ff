"""Generate, cancel, export, and how the run goes."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QGridLayout, QProgressBar, QPushButton, QWidget

from napari_drdm.widgets.sources import note

__all__ = ["RunBar"]


class RunBar(QWidget):
    """Buttons of a run, its progress, and one line that says how it stands."""

    generate_asked = Signal()
    cancel_asked = Signal()
    export_asked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.generate = QPushButton("Generate")
        self.cancel = QPushButton("Cancel")
        self.export = QPushButton("Export…")
        self.progress = QProgressBar()
        self.status = note()
        for button, signal, tip in (
            (self.generate, self.generate_asked, "Make a new case (Ctrl+Return)"),
            (self.cancel, self.cancel_asked, "Stop after the present step (Esc)"),
            (self.export, self.export_asked, "Save image, labels, field and recipe into a folder"),
        ):
            button.setToolTip(tip)
            button.clicked.connect(signal)
        self.progress.setToolTip("Steps of this run, and the device it runs on")
        self.status.setToolTip("How the last run ended")
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        for column, button in enumerate((self.generate, self.cancel, self.export)):
            grid.addWidget(button, 0, column)
        grid.addWidget(self.progress, 1, 0, 1, 3)
        grid.addWidget(self.status, 2, 0, 1, 3)
        self.set_running(False)
        self.set_exportable(False)

    def set_running(self, running: bool) -> None:
        """A run began or none is left."""
        self.cancel.setEnabled(running)
        if running:
            self.show_step(0, 0, "")
        else:
            self.progress.setRange(0, 1)
            self.progress.setValue(0)
            self.progress.setFormat("")

    def set_exportable(self, there: bool) -> None:
        """Whether there is a result to export."""
        self.export.setEnabled(there)

    def show_step(self, index: int, total: int, device: str) -> None:
        """Step ``index`` of ``total`` is done; a total of 0 is not known yet."""
        self.progress.setRange(0, total)
        self.progress.setValue(index)
        self.progress.setFormat(f"step {index} of {total} on {device}" if total else "preparing")

    def say(self, text: str) -> None:
        """One line about the last run."""
        self.status.setText(text)
