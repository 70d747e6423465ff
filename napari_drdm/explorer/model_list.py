"""The form's lists of models and devices, filled off the main thread until torch is loaded."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from qtpy.QtCore import QObject, Signal

from napari_drdm.runs.latest_only import LatestOnly
from napari_drdm.runs.models_found import ModelsFound, find_models, find_models_later
from napari_drdm.widgets.start_panel import SAMPLE_MODEL

if TYPE_CHECKING:
    from napari_drdm.explorer.form import ExplorerForm
    from napari_drdm.settings import Remembered
    from src_core.models.library import ModelEntry

__all__ = ["ModelList"]


class ModelList(QObject):
    """Fills the form's lists of models and devices.

    ``offered()``: the list of models is new; ``ready()``: it is there for the first time.

    Args:
        form: whose lists are filled.
        remembered: the model and device to pick at first.
    """

    offered = Signal()
    ready = Signal()

    def __init__(self, form: ExplorerForm, remembered: Remembered) -> None:
        super().__init__(form)
        self._form, self._remembered = form, remembered
        self.loading, self._first = True, remembered.model
        form.start.sample_asked.connect(self._on_sample)
        self._search = LatestOnly(lambda _: None, parent=self)
        self._search.came.connect(self._on_found)

    def load(self) -> None:
        """Find them for the first time."""
        if "torch" in sys.modules:
            self._on_found(find_models())
        else:
            self._search.submit(find_models_later)

    def refresh(self, pick: str = "") -> None:
        """Read the list of models again, and pick one by its name."""
        from src_core.models.library import list_models

        self.offer(list_models(), pick)

    def offer(self, entries: list[ModelEntry], pick: str) -> None:
        """Offer these models."""
        choice = self._form.sources.model
        choice.offer([(f"{e.name} ({e.spec.ndim}D)", e) for e in entries])
        chosen = [e for e in entries if e.name == pick] or entries
        choice.pick(chosen[0] if chosen else None)
        self.offered.emit()

    def close(self) -> None:
        """Stop looking for models."""
        self._search.close()

    def _on_sample(self) -> None:
        """The sample comes with its own model, also while the models are still loading."""
        self._first = SAMPLE_MODEL
        for entry in self._form.sources.model.values():
            if entry.name == SAMPLE_MODEL:
                self._form.sources.model.pick(entry)

    def _on_found(self, found: ModelsFound) -> None:
        self.loading = False
        self._form.more.offer_devices(found.devices, self._remembered.device)
        self.offer(found.models, self._first)
        self.ready.emit()
