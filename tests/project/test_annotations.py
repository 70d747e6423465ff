"""The annotations kept with the sources: grid, labels, sizes, and the labels of other frames."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest
from scipy.ndimage import binary_dilation, label

from tests.support.paths import ROOT
from tools import propagate_annotations as tool

FOLDER = ROOT / "resources" / "annotations" / "sunnybrook"
SUBJECTS = [f"SC-HF-I-{number}" for number in (1, 2, 4, 5, 6)]
CASES = [(subject, phase) for subject in SUBJECTS for phase in tool.PHASES]
RV, MYOCARDIUM, LV = 1, 2, 3


def read(subject, phase):
    image = nib.load(FOLDER / f"{subject}_{phase}.nii.gz")
    return np.asarray(image.dataobj), image.affine


def measured(subject, phase):
    return tool.volumes(*read(subject, phase))


def test_every_file_is_one_of_the_ten():
    assert {path.name for path in FOLDER.glob("*.nii.gz")} == {f"{s}_{p}.nii.gz" for s, p in CASES}


@pytest.mark.parametrize(("subject", "phase"), CASES)
def test_the_organs_are_in_their_places(subject, phase):
    labels, _ = read(subject, phase)
    assert labels.dtype == np.uint8
    assert set(np.unique(labels)) == {0, RV, MYOCARDIUM, LV}
    in_plane = np.ones((3, 3, 1), bool)
    assert not (binary_dilation(labels == LV, in_plane) & (labels == RV)).any()
    with_lv, with_rv = ((labels == k).any((0, 1)) for k in (LV, RV))
    assert not (with_rv & ~with_lv).any()
    for z in np.flatnonzero(with_rv):
        parts, count = label(labels[:, :, z] == RV)
        assert count <= 2
        assert np.bincount(parts.ravel())[1:].min() >= 10


@pytest.mark.parametrize("subject", SUBJECTS)
def test_volumes_are_those_of_a_heart(subject):
    (rv_full, wall_full, lv_full), (rv_empty, wall_empty, lv_empty) = (
        measured(subject, phase) for phase in tool.PHASES
    )
    assert 60 < rv_full < 250
    assert 25 < rv_empty < 0.7 * rv_full
    assert 150 < lv_full < 300
    assert lv_empty < lv_full
    # both ventricles eject the same blood; slices that leave the stack at the base blur it
    assert 0.5 < (rv_full - rv_empty) / (lv_full - lv_empty) < 1.5
    # mass is constant; more of the wall lies in the stack when it has shortened
    assert 90 < wall_full < 220
    assert 1.0 < wall_empty / wall_full < 1.35


@pytest.mark.parametrize(("subject", "phase"), CASES)
def test_the_readme_gives_the_volumes(subject, phase):
    cells = " | ".join(f"{ml:.0f}" for ml in measured(subject, phase))
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert f"| {subject} | {phase} | {cells} |" in readme


@pytest.mark.parametrize(("subject", "phase"), CASES)
def test_the_labels_that_come_with_the_data_are_kept(data_dir, subject, phase):
    labels, affine = read(subject, phase)
    given = nib.load(data_dir / "sunnybrook" / f"{subject}_{phase}_label.nii.gz")
    theirs = np.asarray(given.dataobj)
    assert np.array_equal(labels == LV, theirs == LV)
    if (theirs == MYOCARDIUM).any():
        assert np.array_equal(labels == MYOCARDIUM, theirs == MYOCARDIUM)
    cine = nib.load(data_dir / "sunnybrook" / f"{subject}_cine.nii.gz")
    assert labels.shape == cine.shape[:3]
    assert np.allclose(affine, cine.affine, atol=1e-4)


@pytest.mark.parametrize(("subject", "phase"), CASES)
def test_blood_is_brighter_than_the_wall(data_dir, subject, phase):
    labels, _ = read(subject, phase)
    folder = data_dir / "sunnybrook"
    frame = tool.key_frames(folder / "index.csv")[subject][tool.PHASES.index(phase)]
    image = np.asarray(nib.load(folder / f"{subject}_cine.nii.gz").dataobj[..., frame])
    for z in np.flatnonzero((labels == RV).any((0, 1))):
        rv, wall = (np.median(image[:, :, z][labels[:, :, z] == k]) for k in (RV, MYOCARDIUM))
        assert rv > 1.3 * wall


@pytest.mark.parametrize(
    ("frame", "expected"), [(8, 0.0), (9, 0.25), (2, 1.0), (5, 0.5), (7, 1 / 6)]
)
def test_the_way_between_two_frames_of_a_cycle(frame, expected):
    assert tool.part_of_the_way(frame, (8, 2), 10) == pytest.approx(expected)


def test_frames_between_get_the_labels_of_a_beating_disc():
    radii = 14 - 4 * np.sin(np.linspace(0, np.pi, 9))[:8]
    x, y = np.mgrid[:52, :60]
    distance = np.hypot(x - 27, y - 31)
    truth = np.stack([(distance < r) * LV for r in radii], -1)[:, :, None].astype(np.uint8)
    cine = np.stack([100 / (1 + np.exp(distance - r)) for r in radii], -1)[:, :, None]
    keys = [truth[..., 0], truth[..., 4]]
    made = tool.propagate(cine.astype(np.float32), keys, (0, 4))
    assert np.array_equal(made[..., [0, 4]], truth[..., [0, 4]])
    for t in range(8):
        both = ((made[..., t] == LV) & (truth[..., t] == LV)).sum()
        dice = 2 * both / ((made[..., t] == LV).sum() + (truth[..., t] == LV).sum())
        assert dice > 0.94  # 0.90 where nothing is registered
