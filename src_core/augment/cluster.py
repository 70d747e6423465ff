"""Jobs on the workers of a Dask scheduler, which see the same files (extra ``dask``)."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

from src_core.augment.jobs import Doing, Made, RunSettings
from src_core.augment.workers import PULSE, QueuedJob, WorkerModel, run_queued
from src_core.errors import InputError

__all__ = ["on_cluster"]

_PATIENCE = "15s"
_AHEAD = 2
_LOST = "its worker ended while it was made, several times, is there enough memory?"


def on_cluster(
    settings: RunSettings, tasks: Iterable[QueuedJob], tool: WorkerModel, address: str
) -> Iterator[Doing | Made]:
    """On a scheduler's workers; ends of jobs as they come, those of dead workers done again.

    Raises:
        InputError: Dask is not installed, or no scheduler answers there.
    """
    client, wait = _client(address)
    settings = replace(
        settings, request=replace(settings.request, out=_whole(settings.request.out))
    )
    source, going = map(_anywhere, tasks), dict[Any, QueuedJob]()
    try:
        while True:
            most = _AHEAD * max(1, sum(client.nthreads().values()))
            for task in islice(source, max(0, most - len(going))):
                going[client.submit(run_queued, settings, task, tool, pure=False)] = task
            if not going:
                break
            try:
                ended = wait(list(going), PULSE, "FIRST_COMPLETED").done
            except TimeoutError:
                ended = set()
                yield Doing(next(iter(going.values())).job, 0, 0)
            for future in ended:
                yield _ended(future, going.pop(future))
    finally:
        client.cancel(list(going))
        client.close()


def _ended(future: Any, task: QueuedJob) -> Made:
    from distributed import KilledWorker

    try:
        return future.result()
    except KilledWorker:
        return Made(task.job, "failed", message=_LOST)


def _client(address: str) -> tuple[Any, Any]:
    """A connection, and the function that waits for its futures."""
    try:
        import distributed
    except ImportError as error:
        raise InputError(
            "Dask is not installed",
            option="dask",
            do="install it: pip install 'napari-drdm[dask]'",
        ) from error
    try:
        kind: Any = distributed.Client
        return kind(address, timeout=_PATIENCE), distributed.wait
    except (OSError, ValueError, TimeoutError) as error:
        raise InputError(
            f"no scheduler answers at {address}",
            option="dask",
            expected="an address such as tcp://host:8786",
            do="start one: dask scheduler",
        ) from error


def _anywhere(task: QueuedJob) -> QueuedJob:
    """A job with absolute paths."""
    entry = task.job.entry
    found = replace(
        entry,
        image=_whole(entry.image),
        labels=_whole(entry.labels) if entry.labels else None,
        channels=tuple(map(_whole, entry.channels)),
    )
    return replace(task, job=replace(task.job, entry=found))


def _whole(path: Path) -> Path:
    return Path(os.path.abspath(path))
