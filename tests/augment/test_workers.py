"""Augmenting on many processes or a cluster: the same bytes even if one of them dies."""

from __future__ import annotations

import json
import multiprocessing
import subprocess
from importlib.util import find_spec
from pathlib import Path

import pytest

from src_core.augment import (
    Doing,
    make_plan,
    steps,
)
from src_core.augment.manifest import lines
from src_core.augment.run_folder import read_index
from src_core.cli import run
from src_core.io.hashing import sha256_file
from src_core.models.model import Model
from tests.support.augment_workers import POSIX, asked, call, group_lives, made_so_far, of_the_run
from tests.support.clusters import QUIET, cluster, wait_for
from tests.support.files import bytes_of


@pytest.mark.slow
def test_two_processes_make_the_same_bytes_even_if_one_dies(
    data: Path, model: Model, alone: dict[str, bytes], tmp_path: Path
) -> None:
    killed = False
    for value in steps(make_plan(asked(data, tmp_path / "o", workers=2), model), model):
        if isinstance(value, Doing):
            continue
        assert value.state == "made"
        if not killed:
            killed = True
            multiprocessing.active_children()[0].kill()
    assert bytes_of(tmp_path / "o") == alone


@pytest.mark.slow
def test_processes_can_be_ended_before_a_job_is(data: Path, model: Model, tmp_path: Path) -> None:
    going = steps(make_plan(asked(data, tmp_path / "o", workers=2), model), model)
    first = next(going)
    assert isinstance(first, Doing) and first.job.name == "p1_frame01-000"
    going.close()  # type: ignore[attr-defined]
    assert not multiprocessing.active_children()
    assert read_index(tmp_path / "o") == [] and not list((tmp_path / "o").rglob("*.partial"))


@POSIX
@pytest.mark.proof
def test_all_killed_and_resumed_is_the_same_bytes(
    data: Path, file: Path, alone: dict[str, bytes], tmp_path: Path
) -> None:
    out = tmp_path / "o"
    words = call(data, out, file, "--workers", "2", "--resume")
    going = subprocess.Popen(words, start_new_session=True, **QUIET)
    wait_for(lambda: made_so_far(out) > 3)
    going.kill()
    going.wait()
    wait_for(lambda: not group_lives(going.pid), 20)
    assert 3 < made_so_far(out) < 12
    assert subprocess.run(words, capture_output=True).returncode == 0
    assert of_the_run(bytes_of(out)) == alone


@POSIX
@pytest.mark.slow
@pytest.mark.parametrize("workers", ["1", pytest.param("2", marks=pytest.mark.proof)])
def test_sigterm_keeps_what_is_whole(data: Path, file: Path, tmp_path: Path, workers: str) -> None:
    out = tmp_path / "o"
    words = call(data, out, file, "--workers", workers)
    going = subprocess.Popen(
        words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, encoding="utf-8"
    )
    wait_for(lambda: made_so_far(out) > 2)
    going.terminate()
    reported = going.communicate(timeout=30)[1]
    assert going.returncode == 130 and "--resume" in reported and "Traceback" not in reported
    held = [line["name"] for line in lines(out)]
    assert 2 < len(held) < 12 and len(read_index(out)) == len(held)
    assert not list(out.rglob("*.partial"))
    for line in lines(out):
        assert all(sha256_file(out / name) == d for name, d in line["files"].items())
    described = json.loads((out / "decathlon" / "dataset.json").read_text())
    assert described["numTraining"] == len(held) == len(described["training"])


@POSIX
@pytest.mark.proof
@pytest.mark.skipif(find_spec("distributed") is None, reason="the extra dask is not installed")
def test_a_cluster_makes_the_same_bytes_even_if_a_worker_dies(
    data: Path, file: Path, alone: dict[str, bytes], tmp_path: Path
) -> None:
    out = tmp_path / "o"
    with cluster(tmp_path, workers=2) as (address, workers):
        going = subprocess.Popen(call(data, out, file, "--dask", address), **QUIET)
        wait_for(lambda: made_so_far(out) > 2)
        workers[0].kill()
        assert going.wait(timeout=120) == 0
    assert of_the_run(bytes_of(out)) == alone


def test_no_scheduler_is_one_line(
    data: Path, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    pytest.importorskip("distributed")
    from src_core.augment import cluster

    monkeypatch.setattr(cluster, "_PATIENCE", "1s")
    words = call(data, tmp_path / "o", file, "--dask", "tcp://127.0.0.1:9")[3:]
    assert run(words) == 2
    assert "error: no scheduler answers at tcp://127.0.0.1:9" in capsys.readouterr().err
