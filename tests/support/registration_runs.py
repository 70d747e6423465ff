"""A small data set of two phases on disk, and runs of the registration task on it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np

from src_core.tasks.registration.options import RegistrationRequest
from src_core.tasks.registration.run import PreparedRegistration
from src_core.tasks.task import run_task
from tests.support import tiny

__all__ = ["LITTLE", "done", "request", "write_case", "write_data"]

LITTLE = {"times": 2, "steps": 3, "tuning": 2, "batch": 2, "size": 32, "rate": 1e-3}


def write_case(folder: Path, name: str, radius: float, shape=(40, 34, 3)) -> None:
    """A ball in a wall, larger or smaller, off the centre; the last slice is empty in 2D."""
    centre = np.array([18, 15, 1 if shape[2] < 9 else shape[2] / 2]).reshape(3, 1, 1, 1)
    scale = np.array([1, 1, 6 if shape[2] < 9 else 1]).reshape(3, 1, 1, 1)
    far = np.sqrt(np.square((np.indices(shape) - centre) * scale).sum(axis=0))
    labels = np.where(far < radius, 2, np.where(far < 1.5 * radius, 1, 0)).astype(np.uint8)
    image = np.random.default_rng(len(name)).integers(0, 20, shape) + 90 * labels
    for kind, values in (("images", image.astype(np.int16)), ("labels", labels)):
        (folder / kind).mkdir(parents=True, exist_ok=True)
        nib.Nifti1Image(values, tiny.OBLIQUE).to_filename(folder / kind / f"{name}.nii.gz")


def write_data(folder: Path, parts: dict[str, str]) -> Path:
    """Part -> its subjects, a letter each, in two phases."""
    for part, subjects in parts.items():
        for subject in subjects:
            for phase, radius in (("ed", 7.0), ("es", 5.0)):
                write_case(folder / part, f"{subject}_{phase}", radius)
    return folder


def request(data: Path, out: str, **more: Any) -> RegistrationRequest:
    options = {"model": "tiny", **LITTLE, **more}
    return RegistrationRequest(data / "train", data / "test", data / out, **options)


def done(asked: RegistrationRequest) -> dict[str, Any]:
    job = PreparedRegistration(asked)
    assert list(run_task(job))
    return job.report
