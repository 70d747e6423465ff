"""How to begin, while there is no image: open one, try the sample, or read the help."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

__all__ = ["SAMPLE", "SAMPLE_MODEL", "StartPanel"]

#: The sample that is offered, as the viewer opens it.
SAMPLE = ("napari-drdm", "volume")
#: The model for it.
SAMPLE_MODEL = "cardiac-sax"

_TEXT = (
    "To begin, open an image: File > Open File(s), or drop it on the window. "
    "Labels that lie on it are carried along."
)


class StartPanel(QWidget):
    """``sample_asked()``: open the sample; ``help_asked()``: show the help.

    Attributes:
        sample: the button of the sample.
        help: the button of the help.
    """

    sample_asked = Signal()
    help_asked = Signal()

    def __init__(self) -> None:
        super().__init__()
        text = QLabel(_TEXT)
        text.setWordWrap(True)
        text.setMargin(2)  # letters below the line are whole in every theme
        self.sample, self.help = QPushButton("Try the sample"), QPushButton("Help")
        self.sample.setToolTip("Open a synthetic heart with its labels: ten slices of one frame")
        self.sample.clicked.connect(self.sample_asked)
        self.help.setToolTip("First steps, and the keys (F1)")
        self.help.clicked.connect(self.help_asked)
        buttons = QHBoxLayout()
        buttons.setSpacing(4)
        buttons.addWidget(self.sample, 1)
        buttons.addWidget(self.help, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 6)
        column.addWidget(text)
        column.addLayout(buttons)
