"""A small raw data set of nnU-Net's, of images that show where their voxels come from."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import nibabel as nib
import numpy as np
from scipy.spatial.transform import Rotation

from src_core.cases.grid import Grid

__all__ = ["CHANNELS", "EDGE", "cases", "raw_data_set"]

#: Voxels at each side of an image that are zero, so that nnU-Net crops them: in x, y, z.
EDGE = ((3, 1), (2, 4), (5, 3))


CHANNELS = 4


def cases(thick: bool) -> Iterator[tuple[str, Grid]]:
    """Six cases, with x from right to left; slices along x are thick, or there are none."""
    for number in range(6):
        turned = Rotation.from_euler("xyz", [7 * number, -4, 11], degrees=True).as_matrix()
        spacing = [4 + 0.2 * number, 1.0, 1.3] if thick else [1.0, 1.2 + 0.1 * number, 1.1]
        shape = (14, 52 + number, 44) if thick else (42, 38 + number, 46)
        affine = np.eye(4)
        affine[:3, :3] = turned * [-spacing[0], *spacing[1:]]
        affine[:3, 3] = [-30, 12 * number, 5]
        yield f"p{number}", Grid(shape, affine)


def raw_data_set(home: Path, thick: bool, **facts: object) -> Path:
    """An nnU-Net raw data set: channel a is the coordinate along axis a, plus 1; the last is 1.

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
        for channel, values in enumerate([*at, 0 * at[0]]):
            file = folder / "imagesTr" / f"{name}_{channel:04d}.nii.gz"
            nib.save(nib.Nifti1Image(np.where(inside, values + 1, 0), grid.affine), file)
        labels = _labels(at, grid.shape) * inside
        nib.save(nib.Nifti1Image(labels, grid.affine), folder / "labelsTr" / f"{name}.nii.gz")
    said = {
        "channel_names": {str(a): "noNorm" for a in range(CHANNELS)},
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
