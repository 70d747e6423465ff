"""Two pictures in one place, in turn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from qtpy.QtCore import QTimer

if TYPE_CHECKING:
    from napari.layers import Layer

    from napari_drdm.variants.layers import OwnLayers

__all__ = ["Blink"]

#: How long either is seen, ms.
INTERVAL = 400


class Blink:
    """Shows A and B in turn, on top of everything else, until it is stopped.

    Args:
        own: keeps their layers.
        seen: called with whether the second is on view, whenever that changes.
    """

    def __init__(self, own: OwnLayers, seen: Callable[[bool], None] = lambda _: None) -> None:
        self._own, self._seen = own, seen
        self._pair: tuple[tuple[Layer, ...], tuple[Layer, ...]] | None = None
        self._second = False
        self._timer = QTimer()
        self._timer.setInterval(INTERVAL)
        self._timer.timeout.connect(lambda: self._show(not self._second))

    @property
    def running(self) -> bool:
        """Whether two pictures are compared."""
        return self._pair is not None

    def start(self, a: Sequence[Layer], b: Sequence[Layer], by_turns: bool = True) -> None:
        """Compare new layers, A first; each is an image, with or without labels above it."""
        self.stop()
        self._pair = tuple(a), tuple(b)
        for layer in b:
            layer.visible = False
        for image, *labels in self._pair:
            image.name_overlay.visible = True
            for layer in (image, *labels):
                self._own.add(layer)
        if by_turns:
            self._timer.start()
        self._show(False)

    def stop(self) -> None:
        """Remove all of them."""
        self._timer.stop()
        pair, self._pair = self._pair, None
        for layers in pair or ():
            for layer in reversed(layers):
                self._own.drop(layer)

    def hold(self, second: bool) -> None:
        """B for as long as a key is down, then A and B in turn again."""
        if self._pair is None:
            return
        if second:
            self._timer.stop()
        else:
            self._timer.start()
        self._show(second)

    def broken(self) -> bool:
        """Whether one of the two images was removed."""
        return any(layers[0] not in self._own for layers in self._pair or ())

    def _show(self, second: bool) -> None:
        if self._pair is None:
            return
        self._second = second
        for layer in self._pair[second]:
            layer.visible = True
        for layer in self._pair[not second]:
            layer.visible = False
        self._seen(second)
