"""Two lines about the place under the cursor; they never change their height."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtWidgets import QVBoxLayout, QWidget
from superqt import QElidingLabel

from napari_drdm.overlays.reading import Reading
from src_core.fields.jacobian_words import DET_CONVENTION, change_in_words

__all__ = ["ReadoutPanel", "reading_lines"]

_EMPTY = ("Move the cursor over the result", "")
_TIP = (
    "Under the cursor: the displacement u to where its tissue came from (along the canvas, in the "
    f"order of napari's axes: down, to the right), its length, and det J: {DET_CONVENTION}. Voxels "
    "are counted from 0 and stand as in napari's status bar: z y x, or row column"
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
    """A reading in two lines; u and voxels are along the layer's axes, in napari's order."""
    along, unit = ", ".join(_signed(reading.along_mm[a]) for a in shown), reading.unit
    det = ""
    if reading.det is not None:
        number = f"{reading.det:.2f}".replace("-", "−")
        det = f"  det J {number} {change_in_words(reading.det)}"
    first = f"u ({along}) |u| {reading.length_mm:.1f} {unit}{det}"
    voxel = " ".join(_signed(value) for value in reading.source_voxel)
    axes = "z y x" if len(reading.source_voxel) == 3 else "row column"
    where = f"{', '.join(reading.labels) or 'no label'}   from voxel [{voxel}] ({axes})"
    return first, where


def _details(reading: Reading) -> str:
    u, place = (
        ", ".join(_signed(value) for value in vector)
        for vector in (reading.u_mm, reading.source_lps)
    )
    return f"u ({u}) {reading.unit} in LPS; came from ({place}) {reading.unit}"


def _signed(value: float) -> str:
    return f"{value:.1f}".replace("-", "−")
