"""Names that the user gives to labels: taken from the table, kept with the layer and its file."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, Signal

from napari_drdm.layers.label_names import name_label, recall_names

if TYPE_CHECKING:
    from napari_drdm.explorer.form import ExplorerForm
    from napari_drdm.runs.requests import RunOutcome

__all__ = ["LabelNaming"]


class LabelNaming(QObject):
    """``changed()``: labels of the chosen layer have other names.

    Args:
        form: whose table is edited; labels that are chosen get their names of earlier sessions.
        outcome: gives the shown result, or None.
    """

    changed = Signal()

    def __init__(self, form: ExplorerForm, outcome: Callable[[], RunOutcome | None]) -> None:
        super().__init__(form)
        self._outcome = outcome
        form.sources.labels.chosen.connect(recall_names)
        form.metrics.labels.renamed.connect(self._on_renamed)

    def _on_renamed(self, value: int, name: str) -> None:
        outcome = self._outcome()
        labels: Any = outcome.request.labels if outcome is not None else None
        if labels is not None:
            name_label(labels, value, name)
            self.changed.emit()
