"""What runs is ended between the blocks of its work, not only at its next value."""

from __future__ import annotations

import threading
import time

import pytest

pytest.importorskip("qtpy.QtWidgets", reason="no Qt binding is installed", exc_type=ImportError)

from napari_drdm.runs.compute import Compute
from napari_drdm.runs.latest_only import LatestOnly
from src_core.errors import Cancelled
from src_core.errors.interruption import interruptible, pause
from tests.support.windows import drdm_threads, wait


class Blocks:
    """A picture, and then work of 1,000 blocks."""

    def __init__(self) -> None:
        self.done, self.begun, self.closed = 0, threading.Event(), threading.Event()

    def __call__(self):
        try:
            yield "picture"
            for _ in range(1000):
                pause()
                self.done += 1
                self.begun.set()
                time.sleep(0.005)
            yield "certified"
        finally:
            self.closed.set()


@pytest.fixture
def lane(qapp):
    made = LatestOnly(lambda value: None, lambda value: value == "picture")
    made.seen = []
    made.came.connect(made.seen.append)
    yield made
    made.close()
    wait(lambda: not drdm_threads())


@pytest.mark.parametrize("how", ["stop", "close", "submit"])
def test_work_after_the_picture_ends_at_its_next_block(lane, how: str) -> None:
    blocks = Blocks()
    lane.submit(blocks)
    wait(lambda: lane.seen == ["picture"])
    blocks.begun.wait(5)
    getattr(lane, how)(*([lambda: iter(["new"])] if how == "submit" else []))
    wait(lambda: not drdm_threads())
    assert blocks.closed.is_set() and blocks.done < 500
    wait(lambda: lane.seen == (["picture", "new"] if how == "submit" else ["picture"]))


def test_work_before_the_picture_is_finished_for_a_newer_request(lane) -> None:
    begun, go, done = threading.Event(), threading.Event(), []

    def old():
        begun.set()
        go.wait(5)
        for number in range(5):
            pause()
            done.append(number)
        yield "picture"

    lane.submit(old)
    begun.wait(5)
    lane.submit(lambda: iter(["new"]))
    go.set()
    wait(lambda: not lane.busy)
    assert lane.seen == ["picture", "new"] and len(done) == 5


def test_a_run_that_was_stopped_is_not_shown_as_a_failure(monkeypatch) -> None:
    def stopped(*_: object):
        pause()
        yield "never"

    compute = Compute()
    monkeypatch.setattr(compute, "_at_position", stopped)

    def check() -> None:
        raise Cancelled("stopped")

    with interruptible(check), pytest.raises(Cancelled):
        list(compute.at_position(None, 0.0, None))
