"""A Dask scheduler and its workers, as processes of their own on this machine."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["cluster", "wait_for"]

QUIET = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
_BARE = ("--no-dashboard", "--no-nanny", "--nthreads", "1")


@contextmanager
def cluster(home: Path, workers: int) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """The scheduler's address, and the workers; all ended with the block."""
    reported = home / "scheduler.json"
    local = ["--scheduler-file", str(reported)]
    started = [_start("scheduler", *local, "--host", "127.0.0.1", "--port", "0", "--no-dashboard")]
    try:
        wait_for(reported.is_file)
        started += [_start("worker", *local, *_BARE) for _ in range(workers)]
        yield json.loads(reported.read_text())["address"], started[1:]
    finally:
        for process in reversed(started):
            process.terminate()
            process.wait()


def wait_for(true: Callable[[], bool], seconds: float = 60) -> None:
    """Until something holds."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.01)


def _start(what: str, *words: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", f"distributed.cli.dask_{what}", *words]
    return subprocess.Popen(command, cwd=Path(words[1]).parent, **QUIET)
