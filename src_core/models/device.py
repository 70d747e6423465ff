"""Which device computes: auto takes CUDA, then Apple's MPS, then the CPU."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path

import torch

from src_core.errors import InputError

__all__ = ["THREADS", "choose_device", "fixed_threads", "spare_threads"]

#: CPU threads of a generation: fixed, so that the same recipe gives the same bits; one, because on
#: a busy machine two threads wait for each other at every barrier (measured: 30 times slower).
THREADS = 1


#: PyTorch's threads before ``fixed_threads`` set them, within it.
_allowed: ContextVar[int | None] = ContextVar("allowed_threads", default=None)


def choose_device(name: str = "auto") -> torch.device:
    """The device of a name: auto, cpu, cuda, cuda:N or mps.

    Raises:
        InputError: no such device here.
    """
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise InputError(
            f"the device {name} is unavailable", option="device", expected=_present()
        ) from error
    if device.type == "meta":
        raise InputError(f"the device {name} is unavailable", option="device", expected=_present())
    return device


def _present() -> str:
    cuda = ", cuda" if torch.cuda.is_available() else ""
    return f"auto, cpu{cuda}{', mps' if torch.backends.mps.is_available() else ''}"


@contextmanager
def fixed_threads(count: int = THREADS) -> Iterator[None]:
    """Run torch on a fixed number of CPU threads, then put its setting back."""
    before = torch.get_num_threads()
    outermost = _allowed.get() is None
    mark = _allowed.set(before) if outermost else None
    torch.set_num_threads(min(count, _processors()))
    try:
        yield
    finally:
        torch.set_num_threads(before)
        if mark is not None:
            _allowed.reset(mark)


def spare_threads() -> int:
    """Threads for work whose bits do not depend on their number: as many as processors are free.

    At most as many as PyTorch used before ``fixed_threads``. Where the system does not report how
    many processes are running, one.
    """
    allowed = _allowed.get() or torch.get_num_threads()
    return max(1, min(allowed, _processors() - _others_running()))


@cache
def _processors() -> int:
    return os.cpu_count() or 1


def _others_running() -> int:
    try:
        running = Path("/proc/loadavg").read_text("ascii").split()[3].split("/")[0]
        return max(0, int(running) - 1)
    except (OSError, IndexError, ValueError):
        return _processors()
