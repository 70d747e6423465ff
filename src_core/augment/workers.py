"""Jobs in this process, in a pool of processes, or on the workers of a Dask scheduler.

Each worker does one job at a time on one thread, so neither number nor order of workers changes
a bit, and no core has two jobs. A job whose worker dies is done again.
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

from src_core.augment.jobs import CaseCache, Doing, Line, Made, RunSettings, run_job
from src_core.augment.plan import Job
from src_core.errors import Cancelled, InputError
from src_core.models.device import choose_device
from src_core.models.library import load_model
from src_core.models.model import Model

__all__ = [
    "PULSE",
    "QueuedJob",
    "WorkerModel",
    "in_this_process",
    "on_processes",
    "run_queued",
    "worker_model",
]

#: Seconds after which a caller may end what takes longer.
PULSE = 0.2
_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
_LOST = "its process ended while it was made, twice, is there enough memory?"


@dataclass(frozen=True)
class QueuedJob:
    """A job, and its line in the manifest of an earlier run."""

    job: Job
    known: Line | None = None


@dataclass(frozen=True)
class WorkerModel:
    """A model by its file, which other processes load."""

    file: str
    sha256: str
    device: str


def worker_model(model: Model) -> WorkerModel:
    """The file of a model.

    Raises:
        InputError: it is not from a file.
    """
    if not model.file:
        raise InputError("the model is in no file", expected="one that other processes can read")
    return WorkerModel(os.path.abspath(model.file), model.sha256, str(model.device))


def in_this_process(
    settings: RunSettings, tasks: Iterable[QueuedJob], model: Model
) -> Iterator[Doing | Made]:
    """One job after the other, in this process."""
    cache = CaseCache()
    for task in tasks:
        yield from run_job(settings, task.job, task.known, model, cache)


def on_processes(
    settings: RunSettings, tasks: Iterable[QueuedJob], tool: WorkerModel, count: int
) -> Iterator[Doing | Made]:
    """On ``count`` processes; the ends of jobs as they come, and ``Doing`` between them."""
    source = iter(tasks)
    with _one_thread_each():
        while lost := (yield from _round(settings, source, tool, count)):
            for task in lost:
                if (yield from _round(settings, iter([task]), tool, 1)):
                    yield Made(task.job, "failed", message=_LOST)


def run_queued(settings: RunSettings, task: QueuedJob, tool: WorkerModel, stop: Any = None) -> Made:
    """One job in a worker; ``stop`` is an event that ends it before its next step.

    Raises:
        Cancelled: it was stopped.
        InputError: the disk is full, or the model is not the one of the run.
    """
    with _turn:
        for value in run_job(settings, task.job, task.known, _model(tool), _cache):
            if isinstance(value, Made):
                return value
            if stop is not None and stop.is_set():
                raise Cancelled("stopped")
    raise RuntimeError("a job ended without an end")


def _round(
    settings: RunSettings, source: Iterator[QueuedJob], tool: WorkerModel, count: int
) -> Generator[Doing | Made, None, list[QueuedJob]]:
    """Tasks until there are no more, or a process died: then those that were under way."""
    context = multiprocessing.get_context("spawn")
    stop = context.Event()
    pool = ProcessPoolExecutor(count, context, _begin, (stop,))
    going: dict[Future[Made], QueuedJob] = {}
    lost: list[QueuedJob] = []
    try:
        while not lost:
            for task in islice(source, 2 * count - len(going)):
                with _interrupts_waiting():
                    going[pool.submit(_in_process, settings, task, tool)] = task
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
    """A pool's process leaves Ctrl+C to its parent, and ends when the parent does."""
    global _stop
    _stop = stop
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_follow, args=(parent,), daemon=True).start()


def _follow(parent: Any) -> None:
    parent.join()
    os._exit(1)


def _in_process(settings: RunSettings, task: QueuedJob, tool: WorkerModel) -> Made:
    return run_queued(settings, task, tool, _stop)


@lru_cache(maxsize=1)
def _model(tool: WorkerModel) -> Model:
    model = load_model(tool.file, str(choose_device(tool.device)))
    if model.sha256 != tool.sha256:
        raise InputError(
            "the model's file has changed", where=tool.file, expected=f"{tool.sha256[:16]}..."
        )
    return model


@contextmanager
def _interrupts_waiting() -> Iterator[None]:
    """Ctrl+C waits meanwhile; processes that start meanwhile never get it (not on Windows)."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


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


_cache = CaseCache()
_turn = threading.Lock()
_stop: Any = None
