"""The thread for the newest request, and the bounded cache."""

from __future__ import annotations

import threading
import time

import pytest

pytest.importorskip("qtpy.QtWidgets", reason="no Qt binding is installed", exc_type=ImportError)

from qtpy.QtTest import QTest

from napari_drdm.runs.cache import BoundedCache
from napari_drdm.runs.latest_only import LatestOnly
from tests.support.windows import drdm_threads, wait


@pytest.fixture
def lane(qapp):
    made = LatestOnly(lambda value: int if isinstance(value, int) else None)
    made.seen, made.rests = [], []
    made.came.connect(made.seen.append)
    made.idle.connect(lambda: made.rests.append(1))
    yield made
    made.close()
    wait(lambda: not drdm_threads())


def test_values_come_in_order_and_then_it_rests(lane) -> None:
    lane.submit(lambda: iter(["a", "b", "c"]))
    assert lane.busy
    wait(lambda: not lane.busy)
    assert lane.seen == ["a", "b", "c"] and lane.rests == [1] and not drdm_threads()


def test_a_picture_under_way_is_shown_and_then_the_newest_is_taken(lane) -> None:
    begun, go, closed = threading.Event(), threading.Event(), threading.Event()

    def old():
        try:
            begun.set()
            yield "old"
            go.wait(5)
            yield "under way"
            yield "never"
        finally:
            closed.set()

    lane.submit(old)
    begun.wait(5)
    wait(lambda: lane.seen == ["old"])
    lane.submit(lambda: iter(["waiting"]))
    lane.submit(lambda: iter(["new"]))
    go.set()
    wait(lambda: not lane.busy)
    assert lane.seen == ["old", "under way", "new"] and closed.is_set()


def test_requests_faster_than_pictures_still_show_some(lane) -> None:
    made = []

    def slow(number: int):
        time.sleep(0.02)
        made.append(number)
        yield str(number)

    for number in range(50):
        lane.submit(lambda number=number: slow(number))
        QTest.qWait(4)
    wait(lambda: not lane.busy)
    assert lane.seen == [str(n) for n in made] and len(made) >= 5 and made[-1] == 49
    assert made == sorted(made)


def test_nothing_is_shown_of_what_was_stopped(lane) -> None:
    begun, go = threading.Event(), threading.Event()

    def old():
        begun.set()
        go.wait(5)
        yield "never"

    lane.submit(old)
    begun.wait(5)
    lane.stop()
    lane.submit(lambda: iter(["new"]))
    go.set()
    wait(lambda: not lane.busy)
    assert lane.seen == ["new"]


def test_what_is_no_picture_ends_nothing(qapp) -> None:
    made = LatestOnly(lambda value: None, lambda value: value == "picture")
    seen, begun, go = [], threading.Event(), threading.Event()
    made.came.connect(seen.append)

    def old():
        begun.set()
        go.wait(5)
        yield from ("step", "step", "picture", "proof")

    made.submit(old)
    begun.wait(5)
    made.submit(lambda: iter(["new"]))
    go.set()
    wait(lambda: not made.busy)
    made.close()
    assert seen == ["step", "step", "picture", "new"]


def test_values_that_pass_are_passed_over_when_the_window_is_slow(lane) -> None:
    done = threading.Event()

    def quick():
        yield from (1, 2, 3, "kept", 4, 5)
        done.set()

    lane.submit(quick)
    done.wait(5)
    wait(lambda: not lane.busy)
    assert lane.seen == ["kept", 5]


def test_stopping_and_failing_leave_it_usable(lane) -> None:
    def bad():
        yield "one"
        raise ValueError("of the test")

    lane.submit(bad)
    wait(lambda: not lane.busy)
    lane.submit(lambda: iter(range(10**9)))
    lane.stop()
    wait(lambda: not lane.busy)
    lane.seen.clear()
    lane.submit(lambda: iter(["again"]))
    wait(lambda: not lane.busy)
    assert lane.seen == ["again"]


def test_a_closed_queue_reports_nothing(lane) -> None:
    lane.submit(lambda: iter(range(10**9)))
    lane.close()
    wait(lambda: not drdm_threads())
    lane.submit(lambda: iter(["late"]))
    assert not drdm_threads() and "late" not in lane.seen


def test_the_least_recently_used_goes_first() -> None:
    memory: BoundedCache[str] = BoundedCache(10)
    for key in "abc":
        memory.put(key, key, 3)
    assert memory.get("a") == "a" and memory.nbytes == 9
    memory.put("d", "d", 4)
    assert memory.get("b") is None and memory.get("a") == "a"
    assert memory.nbytes == 10 and len(memory) == 3
    memory.put("e", "e", 99)
    assert len(memory) == 1 and memory.get("e") == "e"
