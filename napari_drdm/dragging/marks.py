"""Marks of dragged points on the canvas: vispy visuals of one node, no layers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from napari_drdm.dragging.canvas import CanvasAccess

__all__ = ["Mark", "PullMarks"]

_PULLED, _HELD, _EDGE = "#ff9f1c", "#4fc3f7", "#202020"
#: Pixels: width of a mark and of an arrow's shaft, length and width of its head.
_SIZE, _SHAFT, _HEAD = 13, 3.0, (13.0, 11.0)
#: Drawn after every layer.
_ON_TOP = 1_000_000


@dataclass(frozen=True)
class Mark:
    """One point on the canvas, in its displayed world coordinates (x, y).

    Attributes:
        seen: where the point was when it was taken.
        end: where it is to be.
        held: it only stays where it is.
    """

    seen: tuple[float, float]
    end: tuple[float, float]
    held: bool


class PullMarks:
    """Discs where points are to be, squares where they are held, arrows from where they were.

    Args:
        canvas: where they are drawn; None draws nothing.
    """

    def __init__(self, canvas: CanvasAccess | None) -> None:
        self._canvas = canvas
        self._node: Any = None
        self._points: Any = None
        self._arrows: Any = None
        self.shown: tuple[Mark, ...] = ()

    def show(self, marks: Sequence[Mark], pixel: float = 1.0) -> None:
        """Show these marks and no others; ``pixel`` is the side of one in world units."""
        self.shown = tuple(marks)
        if self._canvas is None or (not marks and self._node is None):
            return
        if self._node is None:
            self._make()
        self._node.visible = bool(marks)
        if not marks:
            return
        colours = np.array([_rgba(_HELD if mark.held else _PULLED) for mark in marks])
        self._points.set_data(
            pos=np.array([mark.end for mark in marks], np.float32),
            face_color=colours,
            edge_color=_rgba(_EDGE),
            edge_width=1.5,
            size=_SIZE,
            symbol=["square" if mark.held else "disc" for mark in marks],
        )
        arrows = [_arrow(mark, pixel) for mark in marks if mark.seen != mark.end]
        self._arrows.visible = bool(arrows)
        if arrows:
            self._arrows.set_data(np.concatenate(arrows), np.arange(9 * len(arrows)).reshape(-1, 3))

    def close(self) -> None:
        """Remove the marks; the canvas may be gone."""
        self.shown = ()
        if self._node is not None:
            self._node.parent = None
            self._node = None

    def _make(self) -> None:
        from vispy.scene import Node
        from vispy.scene.visuals import Markers, Mesh

        assert self._canvas is not None
        self._node = Node(parent=self._canvas.scene, name="drdm marks")
        self._node.order = _ON_TOP
        self._arrows = Mesh(parent=self._node, color=_rgba(_PULLED))
        self._points = Markers(parent=self._node, antialias=1)
        for order, visual in enumerate((self._arrows, self._points)):
            visual.order = order
            visual.set_gl_state("translucent", depth_test=False)


def _arrow(mark: Mark, pixel: float) -> NDArray[np.float32]:
    """Corners of three triangles, (9, 2): two of the shaft, one of the head."""
    start, end = np.array(mark.seen), np.array(mark.end)
    length = float(np.linalg.norm(end - start))
    along = (end - start) / length
    across = np.array([-along[1], along[0]])
    head = min(_HEAD[0] * pixel, length)
    neck = end - head * along
    side, wide = across * _SHAFT * pixel / 2, across * _HEAD[1] * pixel / 2
    shaft = [start + side, start - side, neck + side, start - side, neck - side, neck + side]
    return np.array([*shaft, neck + wide, neck - wide, end], np.float32)


def _rgba(colour: str) -> tuple[float, float, float, float]:
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return red, green, blue, 1.0
