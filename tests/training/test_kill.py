"""``kill -9`` at random moments: the run resumes each time and ends in the same bits."""

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


def state(run: Path) -> tuple[dict[str, bytes], dict[str, str]]:
    with safe_open(run / "state.safetensors", framework="np") as file:
        return {k: file.get_tensor(k).tobytes() for k in file.keys()}, file.metadata()  # noqa: SIM118


def positions(run: Path) -> list[int]:
    with (run / "log.csv").open(newline="") as file:
        return [int(row["samples"]) for row in csv.DictReader(file)]


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize(
    ("kills", "samples"), [(3, 80), pytest.param(20, 400, marks=pytest.mark.proof)]
)
def test_a_killed_training_ends_in_the_same_bits(tmp_path: Path, kills: int, samples: int) -> None:
    ran = subprocess.run(
        [sys.executable, SCRIPT, tmp_path, str(kills), str(samples)],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        encoding="utf-8",
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    killed, places = (int(word) for word in ran.stdout.split())
    assert killed >= kills - max(1, kills // 10), "it ended before it was killed"
    assert places >= kills / 2, "it was killed at too few different checkpoints"
    whole, interrupted = tmp_path / "whole", tmp_path / "killed"
    assert state(interrupted) == state(whole)
    model = "killed.safetensors"
    assert (interrupted / model).read_bytes() == (whole / model).read_bytes()
    assert positions(interrupted) == positions(whole) == list(range(2, samples + 1, 2))
    assert not list(interrupted.glob(".*")), "what was half-written is gone"
