"""nnU-Net's commands, as a user calls them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.support.paths import ROOT

__all__ = ["called", "environment"]

_TORCHVISION = """\
from torch.library import define
for name in ("nms", "qnms"):
    define(f"torchvision::{name}", "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
"""


def environment(home: Path) -> dict[str, str]:
    """Variables that nnU-Net's commands need, all of their folders in one."""
    folders = {f"nnUNet_{part}": str(home / part) for part in ("raw", "preprocessed", "results")}
    return {**folders, "nnUNet_n_proc_DA": "2", "nnUNet_def_n_proc": "1", "OMP_NUM_THREADS": "1"}


def called(home: Path, *words: str, **variables: str) -> str:
    """What a command prints, of those beside this Python; it must not fail."""
    shim = _torchvision_shim(home)
    paths = [str(ROOT), *([str(shim)] if shim else [])]
    places = {"PYTHONPATH": os.pathsep.join(paths)}
    program = Path(sys.executable).parent / words[0]
    done = subprocess.run(
        [str(program), *words[1:]],
        env={**os.environ, **environment(home), **places, **variables},
        capture_output=True,
        encoding="utf-8",
        check=False,
        cwd=home,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout + done.stderr


def _torchvision_shim(home: Path) -> Path | None:
    """A folder that lets torchvision be imported where it cannot be.

    nnU-Net looks through its own trainers first, of which some import it. Its build on PyPI needs
    CUDA's libraries, and fails beside a torch without them; nothing here uses it.
    """
    probe = [sys.executable, "-c", "import torchvision"]
    if subprocess.run(probe, capture_output=True, check=False).returncode == 0:
        return None
    (home / "shim").mkdir(exist_ok=True)
    (home / "shim" / "sitecustomize.py").write_text(_TORCHVISION, encoding="utf-8")
    return home / "shim"
