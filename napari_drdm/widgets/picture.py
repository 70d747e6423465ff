"""A picture from a file, as wide as the column it stands in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtGui import QPixmap
from qtpy.QtWidgets import QLabel, QSizePolicy

__all__ = ["PictureView"]


class PictureView(QLabel):
    """A picture that fits the width of its column, and hides while there is none."""

    def __init__(self) -> None:
        super().__init__()
        self._whole = QPixmap()
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def show_file(self, path: Path | None) -> None:
        """Show a PNG, or nothing."""
        self._whole = QPixmap() if path is None else QPixmap(str(path))
        self.setVisible(not self._whole.isNull())
        self._fit()

    def resizeEvent(self, event: Any) -> None:
        """Keep the picture as wide as the column."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        if self._whole.isNull():
            self.clear()
            return
        ratio = self.devicePixelRatioF()
        smooth = Qt.TransformationMode.SmoothTransformation
        fitted = self._whole.scaledToWidth(max(1, round(self.width() * ratio)), smooth)
        fitted.setDevicePixelRatio(ratio)
        self.setPixmap(fitted)
        self.setFixedHeight(max(1, round(fitted.height() / ratio)))
