"""Patches of deformed cases: where nnU-Net's show c, with the same random numbers, ours c + u(c).

Images are coordinates of the case's voxels, which linear interpolation leaves as they are.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from src_core.cases.grid import Grid

pytest.importorskip("nnunetv2", reason='needs nnU-Net: pip install "napari-drdm[nnunet]"')
from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer

from src_core.transforms import nnUNetTrainerDRDM
from tests.support.nnunet import preprocess
from tests.support.nnunet_patches import Patches, fill, inside, loader_of, patches

pytestmark = pytest.mark.filterwarnings("ignore")
KINDS = [(True, "2d"), (True, "3d_fullres"), (False, "3d_fullres")]
READERS = ("NibabelIO", "NibabelIOWithReorient", "SimpleITKIOWithReorient")
NEAR = 5e-3  # voxels


def both(folder: Path, configuration: str, **spatial: float) -> tuple[Patches, Patches]:
    """nnU-Net's patches, and those of the trainer that deforms."""
    kinds = (nnUNetTrainer, nnUNetTrainerDRDM)
    plain, deforming = (patches(loader_of(k, folder, configuration, **spatial)) for k in kinds)
    assert plain.keys == deforming.keys
    return plain, deforming


def check(known: dict[str, Grid], plain: Patches, deformed: Patches, field: Any) -> None:
    seen = 0
    for (name, c, plainly, _), (_, moved, _, _) in zip(plain, deformed, strict=True):
        grid = known[name]
        expected = c + np.moveaxis(field(grid, np.moveaxis(c, 0, -1)), -1, 0)
        there = plainly & inside(grid, c) & inside(grid, expected)
        assert np.abs(moved - expected)[:, there].max(initial=0) < NEAR
        seen += there.sum()
    assert seen > 0.1 * plain.coordinates[:, 0].size


def translation(axis: int, mm: float) -> Any:
    """Along one of the case's axes."""
    return lambda grid, at: 0.0 * at + mm / grid.spacing[axis] * np.eye(3)[axis]


def stretch(grid: Grid, at: np.ndarray) -> np.ndarray:
    """Linear in the coordinates, so that it is interpolated exactly; nothing moves along x."""
    away = at - (np.array(grid.shape) - 1) / 2
    u = 0.0 * at
    u[..., 1] = 0.11 * away[..., 1] - 0.05 * away[..., 2] + 0.2 * away[..., 0]
    u[..., 2] = 0.07 * away[..., 1] - 0.12 * away[..., 2] + 1.5
    return u


def bend(grid: Grid, at: np.ndarray) -> np.ndarray:
    """The same, and something along x."""
    u = stretch(grid, at)
    u[..., 0] = 0.04 * (at[..., 1] - grid.shape[1] / 2) + 0.6
    return u


@pytest.mark.parametrize(
    ("thick", "configuration", "axis", "reader"),
    [(*KINDS[0], 1, "SimpleITKIO"), (*KINDS[0], 2, READERS[0]), (*KINDS[1], 0, READERS[1]),
     (*KINDS[2], 0, READERS[2]), (*KINDS[2], 1, READERS[1]), (*KINDS[2], 2, "SimpleITKIO")],
)  # fmt: skip
def test_five_millimetres_move_a_patch_by_five_millimetres(
    nnunet: Path, thick: bool, configuration: str, axis: int, reader: str
) -> None:
    """Cropped, transposed, resampled and read in another orientation, along one axis alone."""
    field = translation(axis, 5)
    known = fill(nnunet / "bank", thick, field)
    folder = preprocess(nnunet, thick=thick, configuration=configuration, reader=reader)
    still = {"p_rotation": 0.0, "p_scaling": 0.0, "allowed_axes": ()}
    plain, deformed = both(folder, configuration, **still)
    check(known, plain, deformed, field)


@pytest.mark.parametrize(("thick", "configuration"), KINDS)
def test_a_deformation_is_composed_with_rotation_scaling_and_mirroring(
    nnunet: Path, thick: bool, configuration: str
) -> None:
    field = stretch if configuration == "2d" else bend
    known = fill(nnunet / "bank", thick, field)
    folder = preprocess(nnunet, thick=thick, configuration=configuration)
    plain, deformed = both(folder, configuration, p_rotation=1.0, p_scaling=1.0)
    check(known, plain, deformed, field)


@pytest.mark.parametrize(("thick", "configuration"), KINDS)
def test_labels_move_with_the_image(nnunet: Path, thick: bool, configuration: str) -> None:
    """A label is the one at the place that the image shows; beyond the image it is 0."""
    known = fill(nnunet / "bank", thick, stretch)
    folder = preprocess(nnunet, thick=thick, configuration=configuration)
    made = patches(loader_of(nnUNetTrainerDRDM, folder, configuration, p_rotation=1.0))
    right = seen = 0
    for name, c, clear, labels in made:
        there = clear & inside(known[name], c)
        middle = (np.array(known[name].shape) - 1) / 2
        away = (c - middle.reshape(3, *[1] * (c.ndim - 1))).reshape(3, -1)
        ball = ((away / (0.3 * np.array(known[name].shape))[:, None]) ** 2).sum(0) < 1
        expected = np.where(ball, 1 + (away[1] > 0), 0).reshape(labels.shape)
        there &= labels != 3
        right += (labels == expected)[there].sum()
        seen += there.sum()
    assert set(np.unique(made.labels)) == {0, 1, 2, 3}
    assert right > 0.93 * seen
