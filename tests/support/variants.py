"""A viewer with a user's layers, the variants panel and its controller, without a window."""

from __future__ import annotations

import hashlib
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from napari.layers import Image, Labels
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from napari_drdm.layers.cases import make_case
from napari_drdm.layers.snapshots import take_snapshot
from napari_drdm.runs.requests import RunOutcome, RunRequest
from napari_drdm.variants import Variants
from napari_drdm.variants.panel import VariantsPanel
from src_core.generation import Options, Result

__all__ = [
    "SCALE",
    "SHAPE",
    "TURN",
    "Bench",
    "outcome",
    "press",
    "request",
    "settle",
    "slowly",
    "tiles",
]


SHAPE, SCALE = (3, 20, 24), (8, 1.4, 1.2)


TURN = np.array([[1, 0, 0], [0, 0.8, -0.6], [0, 0.6, 0.8]])


def request(image: Image, labels: Labels | None = None, **options) -> RunRequest:
    snapshot = take_snapshot(image, labels)
    return RunRequest(snapshot, Path("tiny"), Options(**options), image, labels)


def outcome(asked: RunRequest) -> RunOutcome:
    """A result whose image is its source's, brighter by its seed, with other labels."""
    place = make_case(asked.snapshot.copied())
    first = place.case.images[0]
    moved = tuple(v.with_data(3 - v.data) for v in place.case.labels)
    brighter = (first.with_data(first.data + asked.options.seed),)
    case = replace(place.case, images=brighter, labels=moved)
    field = np.zeros((*case.grid.shape, 3), np.float32)
    one = np.ones(case.grid.shape, np.float32)
    facts = {"level": asked.options.level, "seed": asked.options.seed, "steps": 2}
    facts |= {"model": "tiny", "max_mm": 1.25, "max_percent": 3.0}
    return RunOutcome(asked, place, Result(place.case, case, field, field.copy(), one, facts, {}))


class Bench:
    """A viewer with a user's layers, a panel and its controller, and what these asked for."""

    def __init__(self, viewer, generate=None, history=None):
        data = np.random.default_rng(0).integers(0, 200, SHAPE).astype(np.uint8)
        place = {"scale": SCALE, "rotate": TURN, "translate": (3, -2, 7)}
        self.viewer = viewer
        self.image = Image(data, name="heart", contrast_limits=(10, 90), colormap="magma", **place)
        self.labels = Labels((data > 120).astype(np.uint8), name="heart labels", **place)
        viewer.layers.extend([self.image, self.labels])
        self.panel, self.shown, self.asked = VariantsPanel(), [], []
        self.form: RunRequest | None = request(self.image, self.labels, level=30, seed=5)
        self.variants = Variants(
            viewer,
            self.panel,
            show=self.shown.append,
            again=self.asked.append,
            form_request=lambda: self.form,
            generate=generate,
            history=history,
        )
        self.before = self.state()

    def state(self) -> list[object]:
        return [
            (layer.name, layer.visible, layer.opacity, layer.scale.tolist(), layer.blending,
             hashlib.sha256(np.ascontiguousarray(layer.data).tobytes()).hexdigest())
            for layer in (self.image, self.labels)
        ]  # fmt: skip

    def add(self, **options) -> int:
        self.variants.add(outcome(request(self.image, self.labels, **options)))
        return next(iter(self.variants.history)).number

    def own(self) -> list[str]:
        return [layer.name for layer in self.viewer.layers if self.variants.owns(layer)]

    def named(self, name: str) -> Image:
        whole = f"{name} | drdm" if name[:2] in ("A:", "B:") else f"heart | drdm {name}"
        return self.viewer.layers[whole]


def settle() -> None:
    for _ in range(3):
        QApplication.processEvents()


def press(bench: Bench, row: int, modifier=Qt.KeyboardModifier.NoModifier) -> None:
    """A click on a thumbnail."""
    bench.panel.resize(340, 200)
    bench.panel.show()
    strip = bench.panel.strip
    at = strip.visualItemRect(strip.item(row)).center()
    QTest.mouseClick(strip.viewport(), Qt.MouseButton.LeftButton, modifier, QPoint(at))
    settle()


def slowly(asked: RunRequest):
    """A run of three steps."""
    for step in range(3):
        time.sleep(0.005)
        yield step
    yield outcome(asked)


def tiles(layer) -> list[np.ndarray]:
    """The nine parts of a mosaic's layer, in reading order."""
    mosaic = layer.data
    whole = np.asarray(mosaic)
    cut = [slice(None)] * whole.ndim
    found = []
    for place in range(9):
        for axis, first in zip((-2, -1), mosaic.corner(place), strict=True):
            cut[axis] = slice(first, first + mosaic.tile_shape[axis])
        found.append(whole[tuple(cut)])
    return found
