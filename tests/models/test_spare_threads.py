"""Threads that are free: as many as PyTorch may use and as no other process keeps busy."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch

from src_core.models import device
from src_core.models.device import fixed_threads, spare_threads
from src_core.models.nn.cpu import network as cpu
from tests.models.test_cpu_network import SHAPES, image, prepared


@pytest.fixture
def four_processors(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    before = torch.get_num_threads()
    monkeypatch.setattr(device, "_processors", lambda: 4)
    torch.set_num_threads(3)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("four_processors")
@pytest.mark.parametrize(("others", "spare"), [(0, 3), (2, 2), (3, 1), (9, 1)])
def test_busy_processors_are_left_alone(
    monkeypatch: pytest.MonkeyPatch, others: int, spare: int
) -> None:
    monkeypatch.setattr(device, "_others_running", lambda: others)
    assert spare_threads() == spare
    with fixed_threads(), fixed_threads():
        assert torch.get_num_threads() == 1
        assert spare_threads() == spare
    assert torch.get_num_threads() == 3


@pytest.mark.usefixtures("four_processors")
def test_a_program_that_wants_one_thread_gets_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "_others_running", lambda: 0)
    torch.set_num_threads(1)
    with fixed_threads():
        assert spare_threads() == 1


@pytest.mark.usefixtures("four_processors")
def test_unknown_load_means_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "Path", lambda _: Path("/none/loadavg"))
    assert spare_threads() == 1


@pytest.mark.parametrize("name", ["2D", "3D"])
@pytest.mark.parametrize("threads", [2, 3, 7])
def test_bits_do_not_depend_on_spare_threads(
    monkeypatch: pytest.MonkeyPatch, name: str, threads: int
) -> None:
    side, config = SHAPES[name]
    images = torch.cat([image(config, side, seed) for seed in range(7)])
    alone = prepared(config, side)(images, 30, True)
    monkeypatch.setattr(cpu, "spare_threads", lambda: threads)
    call = prepared(config, side)
    with ThreadPoolExecutor(3) as pool:
        for velocity, logits in pool.map(lambda _: call(images, 30, True), range(6)):
            assert torch.equal(velocity, alone[0]) and torch.equal(logits, alone[1])
