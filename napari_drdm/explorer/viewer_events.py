"""The viewer's events that the dock listens to, and what ends with the dock."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari.components import ViewerModel

__all__ = ["disconnect", "viewer_slots"]


def viewer_slots(
    viewer: ViewerModel, layers_changed: Callable[..., None], view_changed: Callable[..., None]
) -> list[tuple[Any, Any]]:
    """Connect to changes of layers and of the view; what was connected to what."""
    layers, dims = viewer.layers.events, viewer.dims.events
    changes = (layers.inserted, layers.removed, layers.reordered, layers.renamed)
    views = (dims.current_step, dims.ndisplay, dims.order)
    slots = [
        *((emitter, layers_changed) for emitter in changes),
        *((emitter, view_changed) for emitter in views),
    ]
    for emitter, slot in slots:
        emitter.connect(slot)
    return slots


def disconnect(parts: tuple[Any, ...], slots: list[tuple[Any, Any]], *_: object) -> None:
    """End the run and disconnect from the viewer's events; the dock is already destroyed."""
    for emitter, slot in slots:
        emitter.disconnect(slot)
    for part in parts:
        with suppress(RuntimeError):  # when napari closes, Qt may have deleted timers before this
            part.close()
