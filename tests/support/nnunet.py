"""A small data set of nnU-Net's, of images that say where they come from, and its commands."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import nibabel as nib
import numpy as np
from scipy.spatial.transform import Rotation

from src_core.cases.grid import Grid
from tests.support.paths import ROOT

__all__ = ["EDGE", "called", "cases", "environment", "planned", "raw_data_set"]

#: Voxels at each side of an image that are zero, so that nnU-Net crops them: in x, y, z.
EDGE = ((3, 1), (2, 4), (5, 3))
_TORCHVISION = """\
import torch
from torch.library import define
define("torchvision::nms", "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
"""


def cases(thick: bool) -> Iterator[tuple[str, Grid]]:
    """Six cases; of thick slices along x, which nnU-Net transposes to the front, or of none."""
    for number in range(6):
        turned = Rotation.from_euler("xyz", [7 * number, -4, 11], degrees=True).as_matrix()
        spacing = [4 + 0.2 * number, 1.0, 1.3] if thick else [1.0, 1.2 + 0.1 * number, 1.1]
        shape = (14, 52 + number, 44) if thick else (42, 38 + number, 46)
        affine = np.eye(4)
        affine[:3, :3] = turned * spacing
        affine[:3, 3] = [-30, 12 * number, 5]
        yield f"p{number}", Grid(shape, affine)


def raw_data_set(home: Path, thick: bool, **facts: object) -> Path:
    """An nnU-Net raw data set: channel a is the voxel's coordinate along axis a, plus 1.

    Values are kept as they are (``noNorm``), so a patch shows where its voxels come from. Labels
    are 1 and 2, two halves of a ball, and 3 in a corner.
    """
    number, name = (701, "thick") if thick else (702, "cubic")
    folder = home / "raw" / f"Dataset{number}_{name}"
    for part in ("imagesTr", "labelsTr"):
        (folder / part).mkdir(parents=True)
    for name, grid in cases(thick):
        at = np.stack(np.meshgrid(*map(np.arange, grid.shape), indexing="ij")).astype(np.float32)
        inside = np.zeros(grid.shape, bool)
        inside[tuple(slice(a, n - b) for (a, b), n in zip(EDGE, grid.shape, strict=True))] = True
        for channel, values in enumerate(at):
            file = folder / "imagesTr" / f"{name}_{channel:04d}.nii.gz"
            nib.save(nib.Nifti1Image(np.where(inside, values + 1, 0), grid.affine), file)
        labels = _labels(at, grid.shape) * inside
        nib.save(nib.Nifti1Image(labels, grid.affine), folder / "labelsTr" / f"{name}.nii.gz")
    said = {
        "channel_names": {str(a): "noNorm" for a in range(3)},
        "labels": {"background": 0, "left": 1, "right": 2, "corner": 3},
        "numTraining": 6,
        "file_ending": ".nii.gz",
        **facts,
    }
    (folder / "dataset.json").write_text(json.dumps(said), encoding="utf-8")
    return folder


def _labels(at: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    middle = (np.array(shape) - 1) / 2
    away = (at - middle.reshape(3, 1, 1, 1)) / (0.3 * np.array(shape)).reshape(3, 1, 1, 1)
    ball = (away**2).sum(0) < 1
    labels = np.where(ball, 1 + (away[1] > 0), 0)
    labels[-6:, -12:, -12:] = 3
    return labels.astype(np.uint8)


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


def planned(home: Path, *, thick: bool, configuration: str, **facts: object) -> Path:
    """Such a data set, planned and preprocessed; gives the preprocessed folder."""
    raw = raw_data_set(home, thick, **facts)
    words = ("-d", raw.name[7:10], "-c", configuration, "-np", "1", "-npfp", "1")
    called(home, "nnUNetv2_plan_and_preprocess", *words)
    return home / "preprocessed" / raw.name


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
