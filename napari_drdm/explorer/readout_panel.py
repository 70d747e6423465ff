"""Two lines about the place under the cursor; they never change their height."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtWidgets import QVBoxLayout, QWidget
from superqt import QElidingLabel

from napari_drdm.overlays.reading import Reading

__all__ = ["ReadoutPanel", "reading_lines"]

_EMPTY = ("Move the cursor over the result", "")
_TIP = (
    "Under the cursor: the displacement u to where its tissue came from (along the canvas, "
    "to the right and down), its length, and det J: below 1 tissue grew, above 1 it shrank"
)


class ReadoutPanel(QWidget):
    """Shows a reading."""

    def __init__(self) -> None:
        super().__init__()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self._lines = (QElidingLabel(), QElidingLabel())
        for line in self._lines:
            line.setFixedHeight(line.fontMetrics().lineSpacing() + 4)
            column.addWidget(line)
        self.show_reading(None)

    def show_reading(self, reading: Reading | None, shown: Sequence[int] = ()) -> None:
        """Show a reading of a view with these spatial axes on the canvas; None empties it."""
        texts = _EMPTY if reading is None else reading_lines(reading, shown)
        for line, text in zip(self._lines, texts, strict=True):
            line.setText(text)
        self.setToolTip(_TIP if reading is None else f"{_TIP}\n{_details(reading)}")

    def text(self) -> str:
        """The text of both lines."""
        return "\n".join(line.text() for line in self._lines)


def reading_lines(reading: Reading, shown: Sequence[int]) -> tuple[str, str]:
    """A reading in two lines; u is along the axes on the canvas, the last one first."""
    along = ", ".join(_signed(reading.along_mm[a]) for a in reversed(shown))
    det = "" if reading.det is None else f"   det J {reading.det:.2f}".replace("-", "−")
    first = f"u ({along}) mm   |u| {reading.length_mm:.1f} mm{det}"
    voxel = ", ".join(_signed(value) for value in reversed(reading.source_voxel))
    where = f"{', '.join(reading.labels) or 'no label'}   from voxel ({voxel})"
    return first, where


def _details(reading: Reading) -> str:
    u, place = (
        ", ".join(_signed(value) for value in vector)
        for vector in (reading.u_mm, reading.source_lps)
    )
    return f"u ({u}) mm in LPS; came from ({place}) mm"


def _signed(value: float) -> str:
    return f"{value:.1f}".replace("-", "−")
