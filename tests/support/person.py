"""A person at the window who does anything at any moment; each action is a name and one number."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from napari.layers import Layer
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QComboBox

from tests.support.person_actions import ACTIONS, MM, SCALE, SHAPES

__all__ = ["Person", "script"]


class Person:
    """Holds a window and what the layers of the user have to look like.

    Args:
        viewer: the window.
        folder: where exports go and a broken model lies.
    """

    def __init__(self, viewer: Any, folder: Path) -> None:
        self.viewer, self.folder = viewer, folder
        self.users: list[Layer] = []
        self.opened = 0
        for name in list(SHAPES)[:3]:
            self.open_layers(name)
        self.explorer: Any = None
        self.open_dock()

    def do(self, name: str, n: int) -> None:
        """One action; what it chooses follows from ``n`` and the state of the window."""
        ACTIONS[name][1](self, n)
        for _ in range(3):
            QApplication.processEvents()

    def rest(self, milliseconds: float = 0) -> None:
        """Process events for a while."""
        QTest.qWait(round(milliseconds))

    def open_dock(self) -> None:
        _, self.explorer = self.viewer.window.add_plugin_dock_widget(
            "napari-drdm", "Deformation explorer"
        )
        # small, so that what is forgotten is met too
        for kept in (self.explorer.runner.compute.runs, self.explorer.variants.history):
            kept.set_limit(4 * 2**20)

    def start_anew(self) -> None:
        """Another dock in an empty window, then the layers that were there at first."""
        self.viewer.layers.clear()
        self.users.clear()
        ACTIONS["close the dock"][1](self, 0)
        self.viewer.dims.ndisplay = 2
        history = self.explorer.variants.history  # what was tried outlives its layers and the dock
        for variant in list(history):
            history.remove(variant)

    def open_layers(self, name: str) -> None:
        shape, self.opened = SHAPES[name], self.opened + 1
        place = {"scale": SCALE[4 - len(shape) :], "units": MM[4 - len(shape) :]}
        box = np.zeros(shape, np.uint8)
        box[..., 8:20, 6:15] = 2
        noise = np.random.default_rng(self.opened).integers(0, 50, shape).astype(np.int16)
        self.users.append(self.viewer.add_image(noise + 200 * box, name=name, **place))
        if name != "slice":
            self.users.append(self.viewer.add_labels(box, name=f"{name} labels", **place))

    @property
    def present(self) -> list[Layer]:
        """The user's layers that are there still."""
        return [layer for layer in self.users if layer in self.viewer.layers]

    def pick(self, box: QComboBox, n: int) -> None:
        """Take an entry of a list, as a click would."""
        if box.count() and box.isEnabled():
            box.setCurrentIndex(n % box.count())
            box.activated.emit(box.currentIndex())

    def click(self, button: Any) -> None:
        if button.isEnabled():
            button.click()

    def slide(self, slider: Any, n: int) -> None:
        if slider.isEnabled():
            slider.setValue(slider.minimum() + n % (slider.maximum() - slider.minimum() + 1))

    def one(self, layers: Sequence[Layer], n: int) -> Layer | None:
        return layers[n % len(layers)] if layers else None


def script(seed: int, length: int) -> list[tuple[str, int]]:
    """Each action once, then actions by chance, the same for the same seed."""
    rng = random.Random(seed)
    names = list(ACTIONS)
    first = [(name, rng.randrange(10_000)) for name in names]
    weights = [ACTIONS[name][0] for name in names]
    chosen = rng.choices(names, weights, k=length - len(names))
    return first + [(name, rng.randrange(10_000)) for name in chosen]
