"""A range of voxels shared among threads, as many as PyTorch uses.

Each voxel is computed by itself, so that the result does not depend on the number of threads.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise

import torch

__all__ = ["LEAST", "in_parts"]

#: Voxels that are worth a thread.
LEAST = 1 << 15


def in_parts(
    work: Callable[[int, int], None], count: int, least: int = LEAST, threads: int | None = None
) -> None:
    """Call ``work(start, stop)`` for parts of ``range(count)``, at the same time.

    Args:
        work: releases Python's global lock for most of its time.
        count: items.
        least: items that are worth a thread.
        threads: at most; None for as many as PyTorch uses.
    """
    threads = min(threads or torch.get_num_threads(), max(1, count // least))
    if threads == 1:
        work(0, count)
        return
    bounds = [count * i // threads for i in range(threads + 1)]
    others = [_pool(threads - 1).submit(work, *b) for b in pairwise(bounds[1:])]
    work(0, bounds[1])
    for other in others:
        other.result()


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="kernels")


if hasattr(os, "register_at_fork"):  # a forked process has none of its parent's threads
    os.register_at_fork(after_in_child=_pool.cache_clear)
