"""Small cases and models for tests of transforms in training loops."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch

from src_core.cases.grid import Grid
from src_core.transforms import Live, Scan
from tests.support import tiny

__all__ = ["ball", "live", "scan", "untouched"]

SHAPE = (40, 52, 6)


def live(folder: Path, ndim: int = 2, **options: object) -> Live:
    name = f"tiny{ndim}"
    path = folder / f"{name}.safetensors"
    if not path.exists():
        tiny.save(folder, ndim, name=name)
    return Live(path, **options)  # type: ignore[arg-type]


def ball(shape: tuple[int, ...] = SHAPE, smooth: float = 6.0) -> np.ndarray:
    """A bright ball on a slope, smooth, so that interpolating twice loses little."""
    at = np.stack(np.meshgrid(*[np.linspace(-1, 1, n) for n in shape], indexing="ij"))
    distance = np.sqrt((at**2).sum(0))
    return (100 / (1 + np.exp(smooth * (distance - 0.6))) + 5 * at[0]).astype(np.float32)


def scan(shape: tuple[int, int, int] = SHAPE, name: str = "") -> Scan:
    return Scan(ball(shape), Grid(shape, tiny.OBLIQUE), name)


@contextmanager
def untouched() -> Iterator[None]:
    """Fail where global random numbers, or torch's threads, are not as they were."""
    before = torch.get_rng_state(), np.random.get_state()[1].copy(), random.getstate()
    threads = torch.get_num_threads()
    yield
    assert torch.equal(torch.get_rng_state(), before[0])
    assert np.array_equal(np.random.get_state()[1], before[1])
    assert random.getstate() == before[2]
    assert torch.get_num_threads() == threads
