"""Long work ends between its blocks where its caller asks for that."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch

from src_core.cases.grid import Grid
from src_core.errors import Cancelled
from src_core.errors.interruption import interruptible, pause
from src_core.fields import invert
from src_core.fields.kernels import inverse as compiled
from src_core.fields.kernels.threads import in_parts
from src_core.fields.measures import measure_field
from src_core.fields.saved import SavedField

pytest.importorskip("numba")


class Asked:
    """A check that counts, and ends the work when it is asked for the ``last`` time."""

    def __init__(self, last: int | None = None) -> None:
        self.count, self.last = 0, last

    def __call__(self) -> None:
        self.count += 1
        if self.count == self.last:
            raise Cancelled("enough")


@pytest.fixture
def solved(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Rows that the loops of the inverse were called for."""
    rows: list[int] = []
    kind = compiled.FIELDS[3]
    loop = compiled.from_nodes[kind]

    def counted(*args: Any) -> None:
        rows.append(args[8] - args[7])
        loop(*args)

    vars(counted)["ready"] = loop.ready
    monkeypatch.setitem(compiled.from_nodes, kind, counted)
    return rows


def smooth(side: int) -> torch.Tensor:
    """A field (1, 3, side, side, side), float32, voxels, that does not fold."""
    x = torch.linspace(0, 2 * np.pi, side)
    wave = torch.sin(x)[:, None, None] * torch.cos(x)[:, None] * torch.sin(x)
    return torch.stack([3 * wave, -2 * wave, wave])[None].float()


def test_an_inverse_of_128_cubed_ends_after_the_block_in_which_it_is_cancelled(
    solved: list[int], one_thread: None
) -> None:
    u = smooth(128)
    with interruptible(asked := Asked()):
        whole = invert(u)
    blocks, rows = len(solved), sum(solved)
    assert blocks >= 16 and asked.count >= blocks and rows == 128 * 128
    solved.clear()
    with pytest.raises(Cancelled, match="enough"), interruptible(Asked(4)):
        invert(u)
    assert len(solved) == 3 and sum(solved) < rows // 4
    assert torch.equal(invert(u).displacement, whole.displacement)  # and nothing was left behind


def test_a_certificate_ends_where_it_is_cancelled(one_thread: None) -> None:
    field = np.moveaxis(smooth(96)[0].numpy(), 0, -1).copy()
    saved = SavedField(field, Grid((96, 96, 96), np.eye(4)), None)
    with interruptible(asked := Asked()):
        measure_field(saved)
    assert asked.count >= 6
    with pytest.raises(Cancelled), interruptible(last := Asked(3)):
        measure_field(saved)
    assert last.count == 3


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("error", [Cancelled, KeyboardInterrupt])
def test_all_threads_end_with_the_one_that_was_interrupted(
    threads: int, error: type[BaseException]
) -> None:
    done: list[int] = []

    def check() -> None:
        if len(done) >= 2 * threads:
            raise error

    def work(start: int, stop: int) -> None:
        done.append(stop - start)

    with pytest.raises(error), interruptible(check):
        in_parts(work, 10**6, least=100, threads=threads)
    assert sum(done) < 10**6


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("count", [0, 1, 799, 801, 5000])
def test_blocks_make_the_whole(threads: int, count: int) -> None:
    seen = np.zeros(count, int)

    def work(start: int, stop: int) -> None:
        assert 0 < stop - start <= 800
        seen[start:stop] += 1

    in_parts(work, count, least=100, threads=threads)
    assert (seen == 1).all()


def test_a_check_is_of_its_own_thread_and_of_its_block_alone() -> None:
    asked, others = Asked(), Asked()
    with interruptible(others):
        with interruptible(asked):
            pause()
            thread = threading.Thread(target=pause)
            thread.start()
            thread.join()
        pause()
    pause()
    assert (asked.count, others.count) == (1, 1)


@pytest.fixture
def one_thread() -> Iterator[Callable[[], int]]:
    """Blocks are counted on one thread."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield torch.get_num_threads
    torch.set_num_threads(before)
