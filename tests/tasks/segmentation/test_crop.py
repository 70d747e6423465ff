"""The canvas of a case: turned by its header, centred without its labels, in millimetres."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest
import torch

from src_core.cases.grid import Grid
from src_core.datasets.entry import Entry
from src_core.tasks.segmentation.crop import CropGrid, label_centre, pixel_positions, plane_axes
from src_core.tasks.segmentation.slice_stacks import read_stack

LPS = np.diag([-1.3, -1.7, 9.0, 1.0])


def ball(shape: tuple[int, ...], centre: tuple[float, float], spacing: tuple[float, float]):
    x, y = np.indices(shape[:2])
    mm = ((x - centre[0]) * spacing[0]) ** 2 + ((y - centre[1]) * spacing[1]) ** 2
    return np.repeat((mm < 12**2)[..., None], shape[2], 2).astype(np.uint8)


def test_axes_point_left_and_to_the_back_whatever_the_stored_order():
    turned = np.zeros((4, 4))
    turned[1, 0], turned[0, 1], turned[2, 2], turned[3, 3] = 1.7, -1.3, 9.0, 1.0
    straight, other = plane_axes(Grid((40, 60, 3), LPS)), plane_axes(Grid((60, 40, 3), turned))
    assert np.array_equal(straight.turn, np.eye(2))
    assert np.array_equal(other.turn, [[0, 1], [-1, 0]])
    labels = ball((40, 60, 3), (11, 40), (1.3, 1.7))
    expected = ((11 - 19.5) * 1.3, (40 - 29.5) * 1.7)
    assert label_centre(labels, Grid((40, 60, 3), LPS)) == pytest.approx(expected)
    stored = labels.transpose(1, 0, 2)[::-1]  # the same patient, turned in memory
    assert label_centre(stored, Grid((60, 40, 3), turned)) == pytest.approx(expected)
    assert label_centre(labels * 0, Grid((40, 60, 3), LPS)) is None


def test_positions_and_vectors_go_along_the_turned_axes():
    turned = np.zeros((4, 4))
    turned[1, 0], turned[0, 1], turned[2, 2], turned[3, 3] = 1.7, -1.3, 9.0, 1.0
    axes = plane_axes(Grid((60, 40, 3), turned))
    at = axes.voxels(pixel_positions(3, 2.0), (0.0, 0.0))[0, :, 2, 1]  # 2 mm to the left
    assert at.tolist() == pytest.approx([29.5, 19.5 + 2 / 1.3])
    assert axes.turned(torch.tensor([[3.0, 5.0]])).tolist() == [[5.0, -3.0]]


def test_a_canvas_shows_the_case_where_its_millimetres_lie(tmp_path):
    labels = ball((70, 60, 3), (41, 25), (1.3, 1.7))
    nib.save(nib.Nifti1Image(labels * 200, LPS), tmp_path / "i.nii.gz")
    nib.save(nib.Nifti1Image(labels * 5, LPS), tmp_path / "l.nii.gz")
    crop = CropGrid(32, 2.0, (-4.0, 6.0))
    found = read_stack(Entry(tmp_path / "i.nii.gz", tmp_path / "l.nii.gz", "s"), "s", crop, (5,))
    assert crop.canvas == 54 and found.images.shape == (3, 54, 54)
    assert found.spacing == pytest.approx((9.0, 2.0, 2.0))
    area = float((found.classes[1] == 1).sum()) * 4
    assert area == pytest.approx(np.pi * 12**2, rel=0.05)
    middle = (found.classes[1] == 1).nonzero().double().mean(0)
    expected = [(41 - 34.5) * 1.3 + 4, (25 - 29.5) * 1.7 - 6]
    assert ((middle - 26.5) * 2).tolist() == pytest.approx(expected, abs=0.6)
    seen = found.network_input(crop)[:, :, crop.inner, crop.inner]
    assert float(seen.mean()) == pytest.approx(0, abs=1e-3)
    assert float(seen.std()) == pytest.approx(1, abs=1e-3)
