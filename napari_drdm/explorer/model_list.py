"""The models and devices on offer, found off the main thread where torch is not loaded yet."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from qtpy.QtCore import QObject, Signal

from napari_drdm.runs.latest_only import Lane

if TYPE_CHECKING:
    from napari_drdm.explorer.form import ExplorerForm
    from napari_drdm.settings import Remembered
    from src_core.models.library import ModelEntry

    Found = tuple[list[ModelEntry], list[tuple[str, str]]]

__all__ = ["ModelList", "found"]


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
        self.loading = True
        self._lane = Lane(lambda _: None, self)
        self._lane.came.connect(self._on_found)

    def load(self) -> None:
        """Find them for the first time."""
        if "torch" in sys.modules:
            self._on_found(found())
        else:
            self._lane.submit(_found_later)

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
        """Look for nothing any more."""
        self._lane.close()

    def _on_found(self, there: Found) -> None:
        entries, devices = there
        self.loading = False
        self._form.more.offer_devices(devices, self._remembered.device)
        self.offer(entries, self._remembered.model)
        self.ready.emit()


def found() -> Found:
    """The models and devices there are."""
    from napari_drdm.runs.devices import devices
    from src_core.models.library import list_models

    return list_models(), [(d.name, d.words) for d in devices()]


def _found_later() -> Iterator[Found]:
    yield found()
