"""Buttons for pictures of a result, and of many."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QPushButton, QWidget

__all__ = ["PictureButtons"]


class PictureButtons(QWidget):
    """``film_asked``, ``report_asked`` and ``gallery_asked``."""

    film_asked = Signal()
    report_asked = Signal()
    gallery_asked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.film, self.report = QPushButton("Film…"), QPushButton("Report…")
        self.gallery = QPushButton("Gallery…")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        for button, signal, tip in (
            (self.film, self.film_asked, "Save a film of the shown result (GIF, MP4)"),
            (self.report, self.report_asked, "Save one page on the shown result (HTML)"),
            (self.gallery, self.gallery_asked, "Save a sheet of many seeds at several levels"),
        ):
            button.setToolTip(tip)
            button.setAccessibleName(f"{button.text().rstrip('…')}: {tip}")
            button.clicked.connect(signal)
            row.addWidget(button, 1)
        self.set_result(False)
        self.set_image(False)

    def set_result(self, there: bool) -> None:
        """Whether there is a result to make a film or a report of."""
        self.film.setEnabled(there)
        self.report.setEnabled(there)

    def set_image(self, there: bool) -> None:
        """Whether there is an image to make a gallery of."""
        self.gallery.setEnabled(there)
