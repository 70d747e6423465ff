"""The explorer's panels, one above the other, and its shortcuts; knows no viewer."""

from __future__ import annotations

from collections.abc import Callable

from qtpy.QtCore import Qt
from qtpy.QtGui import QKeySequence
from qtpy.QtWidgets import QFrame, QMessageBox, QScrollArea, QShortcut, QVBoxLayout, QWidget

from napari_drdm.widgets.controls import OptionsPanel, ShowPanel
from napari_drdm.widgets.metrics_panel import MetricsPanel
from napari_drdm.widgets.run_bar import RunBar
from napari_drdm.widgets.sources import SourcePanel

__all__ = ["ExplorerForm", "agree"]


class ExplorerForm(QWidget):
    """Panels in a column that scrolls where the window is low.

    Attributes:
        sources: image, labels, model.
        options: level, seed, steps, slices.
        show_panel: what of a result is shown.
        run_bar: generate, cancel, export, progress.
        metrics: the numbers of the result.
    """

    def __init__(self) -> None:
        super().__init__()
        self.sources, self.options, self.show_panel = SourcePanel(), OptionsPanel(), ShowPanel()
        self.run_bar, self.metrics = RunBar(), MetricsPanel()
        inner, column = QWidget(), QVBoxLayout()
        inner.setLayout(column)
        for panel in (self.sources, self.options, self.show_panel, self.run_bar, self.metrics):
            column.addWidget(panel)
        column.addStretch(1)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(inner)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(area)
        self.setMinimumWidth(330)
        for keys, slot in (
            ("Ctrl+Return", self.run_bar.generate.click),
            ("Esc", self.run_bar.cancel.click),
            ("Ctrl+D", self.options.roll),
            ("Ctrl+,", self.options.previous.click),
            ("Ctrl+.", self.options.following.click),
        ):
            self._shortcut(keys, slot)

    def _shortcut(self, keys: str, slot: Callable[[], object]) -> None:
        """A key that works while the focus is in here."""
        shortcut = QShortcut(QKeySequence(keys), self)
        shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        shortcut.activated.connect(slot)


def agree(parent: QWidget, question: str) -> bool:
    """Ask a question that is answered by yes or no."""
    return QMessageBox.question(parent, "DRDM", question) == QMessageBox.StandardButton.Yes
