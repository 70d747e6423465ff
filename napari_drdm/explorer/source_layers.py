"""The source of what is shown: hidden under its result in 3D, and followed where it is moved.

In 3D an image would shine through the new one. It is shown again in 2D, with its result hidden or
gone, and when the dock closes; one that the user shows or hides stays so.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, QTimer, Signal

from napari_drdm.layers.geometry import spacing_mm
from napari_drdm.layers.snapshots import take_snapshot
from napari_drdm.overlays.build import keys_of
from napari_drdm.overlays.kinds import KINDS
from napari_drdm.overlays.overlay import source_layers
from src_core.errors import DRDMError

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer

    from napari_drdm.explorer.form import ExplorerForm
    from napari_drdm.explorer.live_preview import LivePreview
    from napari_drdm.explorer.result_layers import ResultLayers

__all__ = ["SourceFollower"]

#: What says where a layer lies.
_PLACE = ("scale", "translate", "rotate", "shear", "affine", "units")
#: Overlays that cover the layers they were made of.
_COVERING = ("image", "labels")


class SourceFollower(QObject):
    """``moved()``: the source or its labels have another scale or place; the result went along.

    Args:
        viewer: with the layers.
        form: that says which image is the source, and whether a change computes at once.
        results: what is shown of it.
        live: what computes.
    """

    moved = Signal()

    def __init__(
        self,
        viewer: ViewerModel,
        form: ExplorerForm,
        results: ResultLayers,
        live: LivePreview,
    ) -> None:
        super().__init__(form)
        self._viewer, self._form, self._results, self._live = viewer, form, results, live
        self._source: Layer | None = None
        self._followed: list[Any] = []
        self._spacing: list[tuple[float, ...]] = []
        self._hidden: list[Layer] = []
        self._watched: list[Layer] = []
        self._soon, self._place = QTimer(self), QTimer(self)
        for timer, slot in ((self._soon, self._cover), (self._place, self._on_place)):
            timer.setSingleShot(True)
            timer.timeout.connect(slot)
        self._events = (viewer.dims.events.ndisplay, viewer.layers.events.removed)
        for emitter in self._events:
            emitter.connect(self.look)
        for choice in (form.sources.image, form.sources.labels):
            choice.chosen.connect(self._turn)
        form.show_panel.changed.connect(self.look)
        live.shown.connect(self.look)

    def look(self, event: Any = None) -> None:
        """What is shown has changed: hide or show sources soon, not while layers are removed."""
        self._soon.start(0)

    def close(self) -> None:
        """Show what was hidden, and stop listening."""
        self._soon.stop()
        self._place.stop()
        self._disconnect()
        for emitter in self._events:
            emitter.disconnect(self.look)
        for layer in self._watched:
            layer.events.visible.disconnect(self.look)
        self._reveal(self._hidden)

    def _turn(self, _: Any = None) -> None:
        """Follow what is chosen now."""
        self._disconnect()
        sources = self._form.sources
        self._source = sources.image.value()
        chosen = self._source, sources.labels.value()
        self._followed = [layer for layer in chosen if layer is not None]
        self._spacing = [spacing_mm(layer) for layer in self._followed]
        for layer in self._followed:
            for name in _PLACE:
                getattr(layer.events, name).connect(self._on_moved)
        self.look()

    def _disconnect(self) -> None:
        for layer in self._followed:
            for name in _PLACE:
                getattr(layer.events, name).disconnect(self._on_moved)
        self._followed = []

    def _on_moved(self, event: Any = None) -> None:
        self._place.start(0)  # several come together

    def _on_place(self) -> None:
        """Bring the result over its source, and compute it anew where its spacing is another."""
        source = self._source
        if source is None or source not in self._viewer.layers:
            return
        before, self._spacing = self._spacing, [spacing_mm(layer) for layer in self._followed]
        self._results.lie_over(source)
        self.moved.emit()
        if before != self._spacing and self._results.moment(source) is not None:
            with suppress(DRDMError):  # labels still to be moved: the form says so
                take_snapshot(*self._followed)
                self._live.change()

    def _cover(self) -> None:
        covered = self._covered() if self._viewer.dims.ndisplay == 3 else []
        self._reveal([layer for layer in self._hidden if layer not in covered])
        for layer in covered:
            if layer not in self._hidden and layer.visible:
                self._hidden.append(layer)
                layer.visible = False

    def _covered(self) -> list[Layer]:
        """Layers of the source whose result is on view."""
        moment = self._results.moment(self._source)
        if moment is None or self._source is None:
            return []
        shown, found = self._results.layers(self._source), list[Any]()
        for kind in _COVERING:
            below = source_layers(KINDS[kind], moment)
            for key, layer in zip(keys_of(kind, moment), below, strict=False):
                result = shown.get(key)
                if result is None or result not in self._viewer.layers:
                    continue
                self._watch(result)
                if result.visible and layer in self._viewer.layers:
                    found.append(layer)
        return found

    def _watch(self, result: Layer) -> None:
        if result not in self._watched:
            self._watched.append(result)
            result.events.visible.connect(self.look)

    def _reveal(self, layers: list[Layer]) -> None:
        self._hidden = [layer for layer in self._hidden if layer not in layers]
        for layer in layers:
            if layer in self._viewer.layers:
                layer.visible = True
