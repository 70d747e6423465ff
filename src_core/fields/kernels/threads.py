"""A range of voxels shared among threads, as many as PyTorch uses, block by block.

Each voxel is computed by itself, so that the result does not depend on the number of threads.
Between blocks the work can be ended: by Ctrl-C, or by the caller (``interruptible``).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import cache
from itertools import pairwise
from threading import Event

import torch

from src_core.errors.interruption import pause

__all__ = ["LEAST", "in_parts"]

#: Voxels that are worth a thread.
LEAST = 1 << 15
#: How many times that make a block: some hundredths of a second.
_BLOCK = 8


def in_parts(
    work: Callable[[int, int], None], count: int, least: int = LEAST, threads: int | None = None
) -> None:
    """Call ``work(start, stop)`` for parts of ``range(count)``, at the same time.

    Args:
        work: releases Python's global lock for most of its time; its result does not depend on
            where parts begin.
        count: items.
        least: items that are worth a thread.
        threads: at most; None for as many as PyTorch uses.
    """
    threads = min(threads or torch.get_num_threads(), max(1, count // least))
    bounds, ended = [count * i // threads for i in range(threads + 1)], Event()

    def part(start: int, stop: int) -> None:
        for first in range(start, stop, _BLOCK * least):
            if ended.is_set():
                return
            pause()  # nothing to check on the threads of the pool
            work(first, min(first + _BLOCK * least, stop))

    others: list[Future[None]] = []
    try:
        others += [_pool(threads - 1).submit(part, *b) for b in pairwise(bounds[1:])]
        part(0, bounds[1])
        for other in others:
            other.result()
    except BaseException:
        ended.set()
        wait(others)
        raise


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="kernels")


if hasattr(os, "register_at_fork"):  # a forked process has none of its parent's threads
    os.register_at_fork(after_in_child=_pool.cache_clear)
