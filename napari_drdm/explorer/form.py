"""The explorer's panels, one above the other, and its shortcuts; knows no viewer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtGui import QKeySequence
from qtpy.QtWidgets import QMessageBox, QShortcut, QVBoxLayout, QWidget

from napari_drdm.explorer.readout_panel import ReadoutPanel
from napari_drdm.explorer.show_panel import ShowPanel
from napari_drdm.settings import Remembered
from napari_drdm.variants.panel import VariantsPanel
from napari_drdm.widgets.column import Column
from napari_drdm.widgets.controls import MorePanel, OptionsPanel
from napari_drdm.widgets.distribution_panel import DistributionPanel
from napari_drdm.widgets.help_dialog import HelpDialog
from napari_drdm.widgets.metrics_panel import MetricsPanel
from napari_drdm.widgets.model_drop import ModelDrop
from napari_drdm.widgets.notice import notice_line
from napari_drdm.widgets.picture_buttons import PictureButtons
from napari_drdm.widgets.recovery_panel import RecoveryPanel
from napari_drdm.widgets.run_bar import RunBar
from napari_drdm.widgets.section import Section
from napari_drdm.widgets.sources import SourcePanel
from napari_drdm.widgets.start_panel import StartPanel
from napari_drdm.widgets.still_controls import finish_typing
from napari_drdm.widgets.targets_panel import TargetsPanel
from src_core.errors.options import option_field, option_fields, parsed
from src_core.generation.options import Options

__all__ = ["ExplorerForm", "agree"]


class ExplorerForm(QWidget):
    """Panels in a column that scrolls where the window is low.

    Attributes:
        start: how to begin, while there is no image.
        sources: image, labels, model.
        options: level, seed and variety.
        targets: what the new anatomy is to be.
        more: steps, slices, region, device, memory, further layers.
        recovery: the run step by step.
        show_panel: what of a result is shown.
        readout: the place under the cursor.
        metrics: the numbers of the result.
        variants_panel: results so far.
        distribution: sizes of their labels, and a search for seeds.
        run_bar: generate, cancel, export, progress.
        pictures: film, report, gallery.
        drop: model files dropped on the dock.
        sections: what folds away, by title.
    """

    def __init__(self) -> None:
        super().__init__()
        self.start, self.sources, self.options = StartPanel(), SourcePanel(), OptionsPanel()
        self.more = MorePanel(
            option_field(Remembered, "memory"), option_field(Remembered, "offer_results")
        )
        self.recovery, self.show_panel = RecoveryPanel(), ShowPanel()
        self.readout, self.metrics = ReadoutPanel(), MetricsPanel()
        self.variants_panel, self.run_bar = VariantsPanel(), RunBar()
        self.pictures = PictureButtons()
        self.run_bar.generate.setEnabled(False)  # until there is an image
        self.variants_panel.set_possible(False)
        self.targets, self.distribution = TargetsPanel(), DistributionPanel()
        self.drop = ModelDrop(self)
        self.sections: dict[str, Section] = {}
        inner, column = QWidget(), QVBoxLayout()
        inner.setLayout(column)
        column.setContentsMargins(6, 4, 6, 4)
        column.setSpacing(3)
        for panel in (
            self.start,
            self.sources,
            self.options,
            self._section("Targets: sizes, walls, points to drag", self.targets, False),
            self.recovery,
            self.run_bar,
            self.pictures,
            self._section("Show", self.show_panel, True),
            self.readout,
            self._section("Metrics", self.metrics, True),
            self._section("Variants", self.variants_panel, True),
            self._section("Distribution: label sizes over seeds", self.distribution, False),
            self._section("More: steps, slices, region, device, memory", self.more, False),
        ):
            column.addWidget(panel)
        column.addStretch(1)
        self._scroll(inner)
        keys: tuple[tuple[str, str, Callable[[], object]], ...] = (
            ("Ctrl+Return", "Generate", self.run_bar.generate.click),
            ("Esc", "Cancel", self.run_bar.cancel.click),
            ("Ctrl+D", "A random seed", self.options.roll),
            ("Ctrl+,", "The previous seed", self.options.previous.click),
            ("Ctrl+.", "The next seed", self.options.following.click),
            ("Ctrl+P", "Play the recovery", self.recovery.play.click),
            ("Ctrl+G", "Drag the anatomy", self.targets.drag.click),
            ("Ctrl+Z", "Take back the last change of points", self.targets.undo.click),
            ("F1", "This help", self.show_help),
        )
        for key, _, slot in keys:
            self._shortcut(key, slot)
        self._keys = [(key, text) for key, text, _ in keys]
        self.start.help_asked.connect(self.show_help)

    def values(self) -> dict[str, Any]:
        """Options of a generation, by the engine's names, but the region.

        Raises:
            InputError: a text is not written as it should be.
        """
        return parsed(option_fields(Options), {**self.options.values(), **self.more.values()})

    def show_help(self) -> None:
        """First steps and keys, in a window of their own."""
        dialog = HelpDialog(self, self._keys)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()

    def _section(self, title: str, panel: QWidget, opened: bool) -> Section:
        section = Section(title, panel, opened)
        self.sections[title.split(":")[0]] = section
        return section

    def _scroll(self, inner: QWidget) -> None:
        area = Column(inner)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(area)
        whole.addWidget(notice_line())

    def _shortcut(self, keys: str, slot: Callable[[], object]) -> None:
        """A key that works while the focus is in here; it takes what is typed as finished."""
        shortcut = QShortcut(QKeySequence(keys), self)
        shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        shortcut.activated.connect(finish_typing)
        shortcut.activated.connect(slot)


def agree(parent: QWidget, question: str) -> bool:
    """Ask a question that is answered by yes or no."""
    return QMessageBox.question(parent, "DRDM", question) == QMessageBox.StandardButton.Yes
