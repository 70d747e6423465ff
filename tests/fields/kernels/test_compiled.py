"""Compiled loops: threads, processes, the stored code, and a machine that cannot compile."""

from __future__ import annotations

import logging
import multiprocessing
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils.data import DataLoader, Dataset

from src_core.fields.kernels import compiled
from src_core.fields.kernels.compiled import Kernel, kernel, ready
from src_core.fields.kernels.linear_loops import linear_3d
from src_core.fields.kernels.place_loops import place_3d
from src_core.fields.sampling import sample_by_torch, warp, warp_labels
from tests.support.paths import ROOT

SHAPE = (41, 33, 50)
WARP = """
import torch
from src_core.fields.sampling import warp
torch.set_num_threads({threads})
source = torch.Generator().manual_seed(1)
u = torch.randn(1, 3, 9, 8, 7, generator=source)
print(warp(u, u).double().sum().item().hex())
"""


def field() -> torch.Tensor:
    return torch.randn(2, 3, *SHAPE, generator=torch.Generator().manual_seed(0)) * 4


def at_threads(count: int, u: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        return warp(u, u), warp_labels((u[:, :1] * 2).long(), u.abs() * 5)
    finally:
        torch.set_num_threads(before)


def test_bits_do_not_depend_on_the_number_of_threads() -> None:
    u = field()
    alone = at_threads(1, u)
    for count in (2, 3, 5):
        assert all(map(torch.equal, at_threads(count, u), alone))


class Warps(Dataset[torch.Tensor]):
    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int) -> torch.Tensor:
        # PyTorch's own threads do not outlive a fork, so nothing but the warp uses two
        torch.set_num_threads(1)
        u = field()
        torch.set_num_threads(2)
        warped = warp(u, u)
        torch.set_num_threads(1)
        return warped


@pytest.mark.skipif(sys.platform != "linux", reason="forks")
def test_forked_workers_warp_after_their_parent_used_threads() -> None:
    expected = at_threads(2, field())[0]
    loader = DataLoader(Warps(), batch_size=None, num_workers=2, multiprocessing_context="fork")
    for found in loader:
        assert torch.equal(found, expected)


def run(script: str, cache: Path) -> tuple[str, str]:
    """Standard output and error of a Python process with its own folder of compiled code."""
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env={"NUMBA_CACHE_DIR": str(cache), "PATH": "", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout, done.stderr


@pytest.mark.slow
def test_compilation_is_reported_once_and_kept_for_other_processes(tmp_path: Path) -> None:
    first, report = run(WARP.format(threads=1), tmp_path)
    assert report.splitlines() == ["compiling loops for this machine, once: up to half a minute"]
    again, silence = run(WARP.format(threads=3), tmp_path)
    assert (again, silence) == (first, "")


@pytest.mark.slow
def test_damaged_stored_code_is_compiled_again(tmp_path: Path) -> None:
    first, _ = run(WARP.format(threads=1), tmp_path)
    index, code = (sorted(tmp_path.rglob(f"*{end}")) for end in (".nbi", ".nbc"))
    index[0].write_bytes(b"")
    code[-1].write_bytes(code[-1].read_bytes()[:100])
    again, report = run(WARP.format(threads=1), tmp_path)
    assert again == first and "its stored code is damaged" in report
    assert run(WARP.format(threads=1), tmp_path) == (first, "")


def _warp_and_count(folder: str, results: Any) -> None:
    import os

    os.environ["NUMBA_CACHE_DIR"] = folder
    u = torch.ones(1, 3, 4, 5, 6)
    warp(u, u)
    found = [one._compiled.stats for one in (place_3d["float32"], linear_3d["float32"])]
    results.put([sum(stats.cache_misses.values()) for stats in found])


def test_code_of_other_sources_is_deleted(tmp_path: Path) -> None:
    source, stored = tmp_path / "source", tmp_path / "stored"
    source.mkdir()
    stored.mkdir()
    (source / "loops.py").write_text("A = 1")
    compiled._drop_old(str(stored), source)
    (stored / "loops.nbi").touch()
    compiled._drop_old.cache_clear()
    compiled._drop_old(str(stored), source)
    assert (stored / "loops.nbi").is_file()
    (source / "helpers.py").write_text("B = 2")
    compiled._drop_old.cache_clear()
    compiled._drop_old(str(stored), source)
    assert not (stored / "loops.nbi").exists()


@pytest.mark.slow
def test_workers_that_start_together_compile_once(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    results = spawn.Queue()
    workers = [
        spawn.Process(target=_warp_and_count, args=(str(tmp_path), results)) for _ in range(3)
    ]
    for worker in workers:
        worker.start()
    misses = [results.get(timeout=60) for _ in workers]
    for worker in workers:
        worker.join()
    assert [sum(of_loop) for of_loop in zip(*misses, strict=True)] == [1, 1]


def test_a_kernel_that_fails_to_compile_is_reported_once(caplog: pytest.LogCaptureFixture) -> None:
    broken: Kernel[...] = kernel("void(no_such_type)")(lambda: None)
    with caplog.at_level(logging.WARNING):
        assert not ready(broken)
        assert not ready(broken)
    reports = [r.message for r in caplog.records if "by PyTorch: numba reported" in r.message]
    assert len(reports) == 1


def test_without_numba_torch_warps_and_this_is_reported(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "numba", None)
    compiled.available.cache_clear()
    for one in (place_3d["float32"], linear_3d["float32"]):
        monkeypatch.setattr(one, "_compiled", None)
    u = field()
    grid = torch.stack(torch.meshgrid(*[torch.arange(float(n)) for n in SHAPE], indexing="ij"))
    try:
        assert torch.equal(warp(u, u), sample_by_torch(u, grid + u, "linear", "border"))
        warp(u, u)
    finally:
        compiled.available.cache_clear()
    assert [r.message for r in caplog.records] == [
        "some work is slower, by PyTorch: numba is unavailable: "
        "import of numba halted; None in sys.modules"
    ]
