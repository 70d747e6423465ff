"""Measures of label maps against closed forms, on anisotropic and oblique grids."""

from __future__ import annotations

import numpy as np
import pytest

from src_core.cases.grid import Grid
from src_core.steering.label_measures import (
    area_mm2,
    centre_lps,
    covariance_mm2,
    enclosed_label,
    slices_with,
    thickness_mm,
    volume_ml,
)

SPACING = (0.5, 0.7, 4.0)


def oblique() -> Grid:
    turn = np.array([[0.8, 0, -0.6], [0, 1, 0], [0.6, 0, 0.8]])
    affine = np.eye(4)
    affine[:3, :3] = turn @ np.diag(SPACING)
    affine[:3, 3] = 3, -5, 8
    return Grid((120, 90, 3), affine)


def annulus(low: float, high: float) -> np.ndarray:
    x, y, _ = np.indices((120, 90, 3))
    away = np.hypot((x - 60) * SPACING[0], (y - 44) * SPACING[1])
    return np.where(away < low, 3, np.where(away < high, 2, 0)).astype(np.uint8)


def test_sizes():
    labels, grid = annulus(10, 16), oblique()
    assert volume_ml(labels, 3, grid) == pytest.approx(np.pi * 100 * 12 / 1000, rel=0.01)
    labels[..., 2] = 0
    assert slices_with(labels, 3, grid) == 2
    assert area_mm2(labels, 3, grid, 2) == pytest.approx(np.pi * 100, rel=0.01)
    cine = np.stack([labels, labels], -1)
    assert volume_ml(cine, 3, grid) == volume_ml(labels, 3, grid)


def test_the_thickness_of_an_annulus_is_the_difference_of_its_radii():
    labels, grid = annulus(10, 16), oblique()
    assert thickness_mm(labels, 2, 3, grid, 2) == pytest.approx(6, abs=0.4)
    thicker = thickness_mm(annulus(10, 18), 2, 3, grid, 2) - thickness_mm(labels, 2, 3, grid, 2)
    assert thicker == pytest.approx(2, abs=0.1)
    labels[labels == 3] = 0
    assert np.isnan(thickness_mm(labels, 2, 3, grid, 2))


def test_what_a_wall_encloses():
    labels = annulus(10, 16)
    labels[5:9, 5:9] = 1
    assert enclosed_label(labels, 2, 2) == 3
    assert enclosed_label(labels, 3, 2) is None
    # a stack is open above and below, its slices are not
    labels[..., [0, 2]] = 0
    assert enclosed_label(labels, 2, 2) == 3
    assert enclosed_label(labels, 2, None) is None


def test_centres_are_in_space():
    labels, grid = np.zeros((120, 90, 3), np.uint8), oblique()
    labels[10, 20, 1] = labels[12, 20, 1] = 4
    x, y, z = (grid.affine @ [11, 20, 1, 1])[:3]
    assert centre_lps(labels, 4, grid) == pytest.approx([-x, -y, z])
    assert np.isnan(centre_lps(labels, 5, grid)).all()


def test_second_moments_of_a_box():
    labels, grid = np.zeros((120, 90, 3), np.uint8), oblique()
    # shifted from slice to slice, which is no extent of the shape
    labels[10:50, 20:30, 0] = labels[60:100, 40:50, 2] = 1
    moments = covariance_mm2(labels, 1, grid, (0, 1))
    expected = np.diag([(40 * SPACING[0]) ** 2 / 12, (10 * SPACING[1]) ** 2 / 12])
    assert moments == pytest.approx(expected, abs=1e-9)
