"""A short training killed again and again, beside one left alone: tests/training/test_kill.py.

    python killed_training.py FOLDER KILLS SAMPLES

One process imports torch and forks every training, so that only the training takes time. Prints
how often it was killed and at how many different checkpoints.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from pathlib import Path

import nibabel as nib
import numpy as np
import torch
from safetensors import safe_open

from src_core.training import TrainConfig, train
from src_core.training.hardware import Hardware, start_fabric

SMALL = {
    "name": "killed",
    "seed": 3,
    "size": 32,
    "schedule": {"control": 8, "components": (8, 4), "sigma": 1e-3},
    "network": {"kind": "velocity-unet", "stem": 8, "widths": (16,), "output_stage": 0},
    "validation": {"cases": 0},
}


def config(samples: int) -> TrainConfig:
    """A checkpoint after every batch of two."""
    often = {"samples": samples, "batch": 2, "log_every": 1, "checkpoint_minutes": 1e-9}
    return TrainConfig.model_validate({**SMALL, "optimisation": often})


def make_data(folder: Path) -> Path:
    """Two small volumes."""
    folder.mkdir()
    for i in range(2):
        values = np.random.default_rng(i).integers(0, 900, (20, 24, 2)).astype(np.int16)
        nib.save(nib.Nifti1Image(values, np.diag([1.5, 1.2, 8, 1])), folder / f"{i}.nii.gz")
    return folder


def child(data: Path, out: Path, asked: TrainConfig) -> int:
    """Start or resume in a new process; its id."""
    pid = os.fork()
    if pid:
        return pid
    try:
        for _ in train(data, asked, out, resume=(out / "state.safetensors").exists()):
            pass
    except BaseException as error:
        print(repr(error), file=sys.stderr, flush=True)
        os._exit(1)
    os._exit(0)


def finished(pid: int) -> int:
    """The exit code of a process, 0 for a clean end."""
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def position(out: Path) -> str:
    if not (out / "state.safetensors").exists():
        return ""
    with safe_open(out / "state.safetensors", framework="pt") as file:
        return str(file.metadata()["drdm-run"].split(",", 1)[0])


def main(folder: Path, kills: int, samples: int) -> None:
    torch.set_num_threads(1)
    start_fabric(Hardware())
    data, asked = make_data(folder / "data"), config(samples)
    for _ in train(data, config(2), folder / "first"):  # compiles and loads what the others share
        pass
    started = time.perf_counter()
    if finished(child(data, folder / "whole", asked)):
        raise SystemExit("the training left alone failed")
    longest = 1.3 * (time.perf_counter() - started) / kills
    moments, killed, seen = random.Random(kills), 0, set()
    for _ in range(kills):
        pid = child(data, folder / "killed", asked)
        time.sleep(moments.uniform(0, longest))
        os.kill(pid, signal.SIGKILL)
        killed += finished(pid) == -signal.SIGKILL
        seen.add(position(folder / "killed"))
    if finished(child(data, folder / "killed", asked)):
        raise SystemExit("the last resume failed")
    print(killed, len(seen))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
