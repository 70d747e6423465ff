"""Two images in one place, in turn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QTimer

if TYPE_CHECKING:
    from napari.layers import Image

    from napari_drdm.variants.layers import OwnLayers

__all__ = ["Blink"]

#: How long either is seen, ms.
INTERVAL = 400


class Blink:
    """Shows A and B in turn, on top of everything else, until it is stopped.

    Args:
        own: keeps the two layers.
    """

    def __init__(self, own: OwnLayers) -> None:
        self._own = own
        self._pair: tuple[Image, Image] | None = None
        self._timer = QTimer()
        self._timer.setInterval(INTERVAL)
        self._timer.timeout.connect(self._flip)

    @property
    def running(self) -> bool:
        """Whether two pictures are compared."""
        return self._pair is not None

    def start(self, a: Image, b: Image, by_turns: bool = True) -> None:
        """Compare two new layers, A first."""
        self.stop()
        self._pair = a, b
        b.visible = False
        for layer in self._pair:
            layer.name_overlay.visible = True
            self._own.add(layer)
        if by_turns:
            self._timer.start()

    def stop(self) -> None:
        """Take both away."""
        self._timer.stop()
        pair, self._pair = self._pair, None
        for layer in pair or ():
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
        """Whether one of the two was removed."""
        return any(layer not in self._own for layer in self._pair or ())

    def _flip(self) -> None:
        if self._pair is not None:
            self._show(not self._pair[1].visible)

    def _show(self, second: bool) -> None:
        if self._pair is not None:
            self._pair[second].visible = True
            self._pair[not second].visible = False
