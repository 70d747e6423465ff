"""``kill -9`` at 20 random moments: the run goes on each time and ends in the same bits."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest
from safetensors import safe_open

from tests.support.paths import ROOT

SCRIPT = ROOT / "tests" / "support" / "killed_training.py"
KILLS = 20


def state(run: Path) -> tuple[dict[str, bytes], dict[str, str]]:
    with safe_open(run / "state.safetensors", framework="np") as file:
        return {k: file.get_tensor(k).tobytes() for k in file.keys()}, file.metadata()  # noqa: SIM118


def positions(run: Path) -> list[int]:
    with (run / "log.csv").open(newline="") as file:
        return [int(row["samples"]) for row in csv.DictReader(file)]


@pytest.mark.proof
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_training_killed_20_times_ends_in_the_same_bits(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, SCRIPT, tmp_path, str(KILLS)],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        encoding="utf-8",
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    killed, places = (int(word) for word in ran.stdout.split())
    assert killed >= KILLS - 2, "it ended before it was killed"
    assert places >= KILLS / 2, "it was killed at too few different checkpoints"
    whole, interrupted = tmp_path / "whole", tmp_path / "killed"
    assert state(interrupted) == state(whole)
    model = "killed.safetensors"
    assert (interrupted / model).read_bytes() == (whole / model).read_bytes()
    assert positions(interrupted) == positions(whole) == list(range(2, 401, 2))
    assert not list(interrupted.glob(".*")), "what was half-written is gone"
