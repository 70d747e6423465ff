"""The end of a dock: nothing runs on, and no event of the viewer comes any more."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

__all__ = ["end_parts"]


def end_parts(parts: tuple[Any, ...], slots: list[tuple[Any, Any]], *_: object) -> None:
    """End the run and disconnect from the viewer's events; the dock is already destroyed."""
    for emitter, slot in slots:
        emitter.disconnect(slot)
    for part in parts:
        with suppress(RuntimeError):  # when napari closes, Qt may have deleted timers before this
            part.close()
