"""Pairs on several processes: each takes one job at a time, on one thread, to the same bits."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from functools import lru_cache
from itertools import islice

from src_core.augment.crew import Tool, tool_of
from src_core.device import choose_device
from src_core.library import load_model
from src_core.model import Model
from src_core.pairs.plan import Job, PairsPlan, PairsRequest
from src_core.pairs.work import Bench, Made, do

__all__ = ["on_processes"]

_LOST = "its process ended while it was made, is there enough memory? --resume tries again"


def on_processes(plan: PairsPlan, model: Model) -> Iterator[Made]:
    """Ends of jobs as they come."""
    tool, source = tool_of(model), iter(plan.jobs)
    going: dict[Future[Made], Job] = {}
    count = plan.request.workers
    pool = ProcessPoolExecutor(count, multiprocessing.get_context("spawn"), _begin)
    try:
        while True:
            for job in islice(source, 2 * count - len(going)):
                going[pool.submit(_in_process, plan.request, job, tool)] = job
            if not going:
                return
            for future in wait(going, return_when=FIRST_COMPLETED).done:
                yield future.result()
                del going[future]
    except BrokenProcessPool:
        for job in (*going.values(), *source):
            yield Made(job, "failed", message=_LOST)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _begin() -> None:
    """A pool's process leaves Ctrl+C to its parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _in_process(request: PairsRequest, job: Job, tool: Tool) -> Made:
    *_, last = do(request, job, _model(tool), _bench)
    assert isinstance(last, Made)
    return last


@lru_cache(maxsize=1)
def _model(tool: Tool) -> Model:
    return load_model(tool.file, str(choose_device(tool.device)))


_bench = Bench()
