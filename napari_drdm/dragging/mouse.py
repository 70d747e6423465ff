"""The mouse on the canvas while anatomy is dragged: pull, hold, remove, let go without a change."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_drdm.dragging.pulls import Place, Pull

__all__ = ["Draggable", "PullMouse"]

_LEFT, _RIGHT = 1, 2
#: Pixels from a mark at which a press takes it, and that a drag has to go.
_NEAR, _FAR = 11.0, 3.0


class Draggable(Protocol):
    """What the mouse acts on."""

    @property
    def pulls(self) -> tuple[Pull, ...]:
        """The points as they are shown."""

    def ready(self) -> bool:
        """Whether there is a picture to take points of."""

    def place(self, position: tuple[float, ...]) -> Place | None:
        """A world position as LPS mm; None beside the image."""

    def nearest(self, position: tuple[float, ...]) -> tuple[int, float] | None:
        """The nearest mark on view and its distance, in world units."""

    def taken(self, place: Place) -> Pull:
        """A point of the picture."""

    def show(self, pulls: tuple[Pull, ...]) -> None:
        """Show points while the mouse moves."""

    def have(self, pulls: tuple[Pull, ...]) -> None:
        """Have these points from now on."""


class PullMouse:
    """One callback of napari's viewer for press, moves and release.

    Args:
        viewer: whose mouse it is.
        points: what it acts on.
    """

    def __init__(self, viewer: ViewerModel, points: Draggable) -> None:
        self._viewer, self._points = viewer, points
        self._callback: Callable[..., Any] = self._press
        self._down = False
        self._let_go = False

    @property
    def down(self) -> bool:
        """Whether a point is being dragged."""
        return self._down

    def listen(self, on: bool) -> None:
        """Take the mouse, or leave it to napari."""
        callbacks = self._viewer.mouse_drag_callbacks
        if on and self._callback not in callbacks:
            callbacks.append(self._callback)
        elif not on and self._callback in callbacks:
            callbacks.remove(self._callback)

    def let_go(self) -> bool:
        """End a drag without a change; False where there is none."""
        was, self._let_go = self._down, True
        return was

    def _press(self, viewer: ViewerModel, event: Any) -> Iterator[None]:
        """Called by napari at a press, and continued at each move and at the release."""
        at = self._points.place(event.position)
        known = event.button in (_LEFT, _RIGHT) and viewer.dims.ndisplay == 2
        if not known or at is None or not self._points.ready():
            return
        event.handled = True
        hold = event.button == _RIGHT or "Shift" in event.modifiers
        pan, viewer.scene.camera.mouse_pan = viewer.scene.camera.mouse_pan, False
        self._down, self._let_go = True, False
        try:
            yield from self._click(event, at) if hold else self._pull(event, at)
        finally:
            self._down = False
            viewer.scene.camera.mouse_pan = pan

    def _click(self, event: Any, at: Place) -> Iterator[None]:
        """Hold the point that is clicked, or remove the one that is there."""
        start, here = np.asarray(event.pos), self._hit(event)
        yield
        while event.type == "mouse_move":
            yield
        if self._let_go or np.linalg.norm(np.asarray(event.pos) - start) > _NEAR:
            return
        if here is None:
            self._points.have((*self._points.pulls, self._points.taken(at)))
        else:
            self._remove(here)

    def _pull(self, event: Any, at: Place) -> Iterator[None]:
        """Move the point that was pressed, of the picture or known; a click removes a known one."""
        before, here, start = self._points.pulls, self._hit(event), np.asarray(event.pos)
        point = self._points.taken(at) if here is None else before[here]
        others = before if here is None else (*before[:here], *before[here + 1 :])
        now = None
        yield
        while not self._let_go:
            there = self._points.place(event.position)
            far = now is not None or np.linalg.norm(np.asarray(event.pos) - start) > _FAR
            if far and there is not None:
                now = (*others, point.to(there))
            if event.type != "mouse_move":
                break
            if now is not None:
                self._points.show(now)
            yield
        if self._let_go:
            return
        if now is not None:
            self._points.have(now)
        elif here is not None:
            self._remove(here)

    def _hit(self, event: Any) -> int | None:
        """The known point whose mark is under the mouse."""
        nearest = self._points.nearest(event.position)
        if nearest is None or nearest[1] * event.camera_zoom > _NEAR:
            return None
        return nearest[0]

    def _remove(self, index: int) -> None:
        pulls = self._points.pulls
        self._points.have((*pulls[:index], *pulls[index + 1 :]))
