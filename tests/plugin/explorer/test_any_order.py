"""Anything in any order: hundreds of actions in one window, and what has to hold after each.

``DRDM_ACTIONS`` and ``DRDM_SEED`` ask for more, or for others. After the first hundred the process
may grow by 50 MB, besides what napari itself keeps of every layer that is added and removed, which
is measured in the same window.
"""

from __future__ import annotations

import ctypes
import gc
import hashlib
import logging
import os
import random
import re
import sys
import threading
from typing import Any

import numpy as np
import pytest

pytest.importorskip("qtpy.QtWidgets", reason="no Qt binding is installed", exc_type=ImportError)

import psutil
from napari.utils.notifications import notification_manager

from napari_drdm.runs.moments import moment_of_outcome
from tests.support import tiny
from tests.support.person import Person, script
from tests.support.person_actions import ACTIONS
from tests.support.windows import drdm_threads, settle, wait, wait_for_threads

COUNT = int(os.environ.get("DRDM_ACTIONS", "300"))
SEED = int(os.environ.get("DRDM_SEED", "5"))
WARMING = 100

#: What a window may say when it cannot do what was asked.
EXPECTED = re.compile(
    "open one first|open the image they belong to|open their source again|open an image first"
    "|choose or import one first|no result to (export|copy) yet"
    "|the folder is not empty|not a checkpoint|not a model|no such file"
    "|there is no image [2-9]|choose labels and images of the same voxels"
    "|nothing can be reached at level 0|leave the 3D view first|cannot both be"
    "|is not possible along|a 3D model needs a volume|compiling loops for this machine"
    "|nothing to save yet|nothing to (export|copy): press Generate|were left out with their images"
)


@pytest.fixture
def models(tmp_path, monkeypatch) -> None:
    """Two small models, one of them 3D."""
    about = {"mm_per_pixel": (3.0, 6.0), "recovery": {"steps": 2}}
    tiny.save(tmp_path / "models", **about)
    tiny.save(tmp_path / "models", 3, **about, name="cube")
    (tmp_path / "broken.pth").write_bytes(b"nothing")
    (tmp_path / "broken.safetensors").write_bytes(b"nothing")
    tiny.only_models_of(tmp_path / "models", monkeypatch)


@pytest.fixture
def errors(monkeypatch):
    """What was logged or shown as an error, or raised where nobody caught it."""
    lines: list[str] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(f"log: {record.getMessage()} {record.exc_info or ''}")

    def shown(notification: Any) -> None:
        if str(notification.severity) in ("error", "warning"):
            lines.append(f"shown: {notification.message}")

    def raised(kind: type, error: BaseException, trace: Any) -> None:
        import traceback

        lines.append("raised: " + "".join(traceback.format_exception(kind, error, trace)))

    listener = Listener(logging.WARNING)
    logging.getLogger().addHandler(listener)
    monkeypatch.setattr(sys, "excepthook", raised)
    monkeypatch.setattr(threading, "excepthook", lambda a: raised(*a[:3]))
    notification_manager.notification_ready.connect(shown)
    yield lines
    notification_manager.notification_ready.disconnect(shown)
    logging.getLogger().removeHandler(listener)


class Watch:
    """What has to hold, and what the user's layers were."""

    def __init__(self, person: Person, errors: list[str]) -> None:
        self.person, self.errors = person, errors
        self.before: dict[Any, Any] = {}
        self.remember()

    def remember(self) -> None:
        """Take the user's layers as they are."""
        self.before = {layer: self.state(layer) for layer in self.person.present}

    def count_restored(self) -> None:
        """Image and labels of a result that was chosen come back, if the user had removed them."""
        for layer in self.person.viewer.layers:
            kind, known = type(layer).__name__, layer.metadata.get("drdm", {})
            ours = self.person.explorer._owns(layer) or "output" in known
            if kind in ("Image", "Labels") and not ours and layer not in self.person.users:
                self.person.users.append(layer)
                self.before[layer] = self.state(layer)

    def state(self, layer: Any) -> tuple[Any, ...]:
        """What nobody but the user may change; hidden under its result in 3D counts as shown."""
        covered = layer in self.person.explorer.follower._hidden
        return (layer.visible or covered, *state(layer))

    def check(self, name: str) -> None:
        """After any action."""
        self.count_restored()
        if name in USERS_OWN:
            self.remember()
        unexpected = [line for line in self.errors if not EXPECTED.search(line)]
        assert not unexpected, unexpected
        self.errors.clear()
        for layer, before in self.before.items():
            if layer in self.person.viewer.layers:
                assert self.state(layer) == before, layer
        explorer, panel = self.person.explorer, self.person.explorer.variants_panel
        ours = [x for x in self.person.viewer.layers if x not in self.person.users]
        assert [x for x in ours if not explorer._owns(x)] == [], "a layer of nobody"
        assert panel.buttons["grid"].isChecked() == explorer.variants.seeds.active
        assert explorer.run_bar.cancel.isEnabled() == explorer.runner.busy
        offered = [x for x in explorer.sources.image._values if x is not None]
        if not explorer.more.offer_results.isChecked():
            assert set(offered) <= set(self.person.users)

    def rested(self) -> None:
        """Where nothing is computed."""
        explorer = self.person.explorer
        source, outcome = explorer.sources.image.value(), explorer._outcome()
        assert explorer.run_bar.export.isEnabled() == (outcome is not None)
        assert explorer.run_bar.progress.text() == ""
        moment, layers = explorer.results.moment(source), explorer.results.layers(source)
        if moment is None:
            return
        if moment.outcome is not None:
            moment = moment_of_outcome(moment.outcome)
        for kind, arrays in (("image", moment.images), ("labels", moment.labels)):
            for index, array in enumerate(arrays):
                layer = layers.get(kind if index == 0 else f"{kind} {index + 1}")
                if layer is not None and layer.visible and moment.part is None:
                    assert np.array_equal(layer.data, array), kind


USERS_OWN = ("own layer", "open layer", "region", "close the dock", "session")


def state(layer: Any) -> tuple[Any, ...]:
    """Name, look, values and place of a layer."""
    data = layer.data if isinstance(layer.data, np.ndarray) else np.array(layer.data)
    values = hashlib.sha256(np.ascontiguousarray(data).tobytes()).hexdigest()
    moment = (layer.name, layer.opacity, layer.blending, values)
    limits = getattr(layer, "contrast_limits", None)
    return (*moment, layer.scale.tolist(), layer.translate.tolist(), limits and list(limits))


def memory(person: Person) -> float:
    """Of this process with nothing open, MB."""
    person.start_anew()
    settle(person.explorer)
    person.rest(50)
    return resident()


def resident() -> float:
    """Memory in use, MB; what was freed is given back to the system first."""
    gc.collect()
    if sys.platform == "linux":
        ctypes.CDLL("libc.so.6").malloc_trim(0)
    return psutil.Process().memory_info().rss / 2**20


def kept_of_a_layer(person: Person, pairs: int = 20) -> float:
    """What napari keeps of a layer that comes and goes, MB; no layer of ours is among them."""
    before = resident()
    for _ in range(pairs):
        layer = person.viewer.add_image(np.zeros((3, 60, 52), np.int16))
        person.rest(20)
        person.viewer.layers.remove(layer)
        person.rest(20)
    return max(resident() - before, 0.0) / pairs


@pytest.fixture
def walk(make_napari_viewer_proxy, models, errors, tmp_path):
    """A person at a window, what has to hold there, and what does actions and checks after each."""
    random.seed(SEED)
    viewer = make_napari_viewer_proxy(show=bool(os.environ.get("DRDM_SHOW"))).__wrapped__
    person = Person(viewer, tmp_path)
    settle(person.explorer)
    watch, done = Watch(person, errors), []

    def through(actions: list[tuple[str, int]]) -> None:
        try:
            for name, n in actions:
                done.append((name, n))
                person.do(name, n)
                watch.check(name)
                if name == "settle":
                    watch.rested()
                notification_manager.records.clear()
            settle(person.explorer)
            watch.check("settle")
        except BaseException:
            print(f"\nDRDM_SEED={SEED}, action {len(done)} failed; the last: {done[-25:]}")
            print(*errors, sep="\n")
            raise

    yield person, watch, through
    viewer.close()
    wait(lambda: not drdm_threads())
    wait_for_threads()


def test_every_action_once(walk):
    _, _, through = walk
    through(script(SEED, len(ACTIONS)))


@pytest.mark.proof
def test_hundreds_of_actions_in_any_order(walk, errors):
    person, watch, through = walk
    actions = script(SEED, COUNT)
    through(actions[:WARMING])
    each = kept_of_a_layer(person)
    errors.clear()  # those layers had no units
    start = memory(person)
    watch.remember()
    inserted: list[Any] = []
    person.viewer.layers.events.inserted.connect(lambda event: inserted.append(event.index))
    through(actions[WARMING:])
    grown, layers = memory(person) - start, len(inserted)
    own = grown - layers * each
    print(f"{COUNT} actions, {grown:.0f} MB more; {layers} layers came, napari keeps {each:.2f} MB "
          f"of each: {own:.0f} MB is our own")  # fmt: skip
    assert own < 50
