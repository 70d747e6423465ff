"""Who does the jobs: this process, a pool of processes, or the workers of a Dask scheduler.

Each worker takes one job at a time on one thread, so that neither number nor order of workers
changes a bit, and cores are not asked twice. A job whose worker dies is done again.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Any

from src_core.augment.jobs import Bench, Doing, Line, Made, Shop, do
from src_core.augment.plan import Job
from src_core.errors import Cancelled, InputError
from src_core.models.device import choose_device
from src_core.models.library import load_model
from src_core.models.model import Model

__all__ = ["PULSE", "Task", "Tool", "here", "on_processes", "perform", "tool_of"]

#: Seconds after which a caller may end what takes longer.
PULSE = 0.2
_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
_LOST = "its process ended while it was made, twice, is there enough memory?"


@dataclass(frozen=True)
class Task:
    """A job, and what an earlier run's manifest says of it."""

    job: Job
    known: Line | None = None


@dataclass(frozen=True)
class Tool:
    """A model as other processes find it."""

    file: str
    sha256: str
    device: str


def tool_of(model: Model) -> Tool:
    """The file of a model.

    Raises:
        InputError: it is not from a file.
    """
    if not model.file:
        raise InputError("the model is in no file", expected="one that other processes can read")
    return Tool(os.path.abspath(model.file), model.sha256, str(model.device))


def here(shop: Shop, tasks: Iterable[Task], model: Model) -> Iterator[Doing | Made]:
    """One job after the other, in this process."""
    bench = Bench()
    for task in tasks:
        yield from do(shop, task.job, task.known, model, bench)


def on_processes(
    shop: Shop, tasks: Iterable[Task], tool: Tool, count: int
) -> Iterator[Doing | Made]:
    """On so many processes; ends of jobs as they come, and signs of life between."""
    source = iter(tasks)
    with _one_thread_each():
        while lost := (yield from _round(shop, source, tool, count)):
            for task in lost:
                if (yield from _round(shop, iter([task]), tool, 1)):
                    yield Made(task.job, "failed", message=_LOST)


def perform(shop: Shop, task: Task, tool: Tool, stop: Any = None) -> Made:
    """One job in a worker; ``stop`` is an event that ends it before its next step.

    Raises:
        Cancelled: it was stopped.
        InputError: the disk is full, or the model is not the one of the run.
    """
    with _turn:
        for value in do(shop, task.job, task.known, _model(tool), _bench):
            if isinstance(value, Made):
                return value
            if stop is not None and stop.is_set():
                raise Cancelled("stopped")
    raise RuntimeError("a job ended without an end")


def _round(
    shop: Shop, source: Iterator[Task], tool: Tool, count: int
) -> Generator[Doing | Made, None, list[Task]]:
    """Tasks until there are no more, or a process died: then those that were under way."""
    context = multiprocessing.get_context("spawn")
    stop = context.Event()
    pool = ProcessPoolExecutor(count, context, _begin, (stop,))
    going: dict[Future[Made], Task] = {}
    lost: list[Task] = []
    try:
        while not lost:
            for task in islice(source, 2 * count - len(going)):
                going[pool.submit(_in_process, shop, task, tool)] = task
            if not going:
                break
            ended = wait(going, PULSE, FIRST_COMPLETED).done
            if not ended:
                yield Doing(next(iter(going.values())).job, 0, 0)
            for future in ended:
                task = going.pop(future)
                try:
                    yield future.result()
                except BrokenProcessPool:
                    lost += [task, *going.values()]
                    break
    except BrokenProcessPool:
        lost += going.values()
    finally:
        stop.set()
        pool.shutdown(wait=True, cancel_futures=True)
    return lost


def _begin(stop: Any) -> None:
    """A pool's process leaves Ctrl+C to its parent, and ends when that is gone."""
    global _stop
    _stop = stop
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_follow, args=(parent,), daemon=True).start()


def _follow(parent: Any) -> None:
    parent.join()
    os._exit(1)


def _in_process(shop: Shop, task: Task, tool: Tool) -> Made:
    return perform(shop, task, tool, _stop)


@lru_cache(maxsize=1)
def _model(tool: Tool) -> Model:
    model = load_model(tool.file, str(choose_device(tool.device)))
    if model.sha256 != tool.sha256:
        raise InputError(
            "the model's file has changed", where=tool.file, expected=f"{tool.sha256[:16]}..."
        )
    return model


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """Keep libraries of processes started meanwhile on one thread."""
    before = {name: os.environ.get(name) for name in _THREADS}
    os.environ.update(dict.fromkeys(_THREADS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


_bench = Bench()
_turn = threading.Lock()
_stop: Any = None
