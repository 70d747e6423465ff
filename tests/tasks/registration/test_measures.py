"""Measures of a registration on boxes: overlap, labels that are absent, folds."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
import torch
from scipy import ndimage
from torch import nn

pytest.importorskip("monai")
from src_core.tasks.registration import measures
from src_core.tasks.registration.measures import figures_of
from tests.support.registrations import WINDOW, Constant, box, windowed_case


def test_figures_of_boxes_before_and_after_the_right_shift():
    at, size = (10, 12), (8, 6)
    fixed = windowed_case("f", [box(at, size), np.zeros((1, 32, 32))], WINDOW, mm=2.5)
    moving = windowed_case("m", [box((13, 12), size), np.zeros((1, 32, 32))], WINDOW, mm=2.5)
    before = figures_of(None, (moving, fixed), (1,), WINDOW)
    assert before["dsc 1"] == before["dsc"] == pytest.approx(5 / 8)
    assert (before["hd_voxels"], before["hd_mm"]) == (3.0, 7.5)
    assert before["asd_mm"] == pytest.approx(2.5 * before["asd_voxels"]) and before["mean_mm"] == 0
    after = figures_of(Constant(3.0, 0.0), (moving, fixed), (1,), WINDOW)
    assert (after["dsc"], after["asd_mm"], after["hd_mm"]) == (1.0, 0.0, 0.0)
    assert (after["central"], after["strict"]) == (0.0, 0.0)
    assert after["max_mm"] == after["mean_mm"] == pytest.approx(7.5)
    away = figures_of(Constant(-3.0, 0.0), (moving, fixed), (1,), WINDOW)
    assert away["dsc"] == pytest.approx(2 / 8) and away["hd_voxels"] == 6.0


@pytest.mark.parametrize("shape", [(3, 20, 17), (2, 12, 14, 9)])
def test_surface_distances_are_those_of_monai(shape):
    from monai.metrics.hausdorff_distance import compute_hausdorff_distance
    from monai.metrics.surface_distance import compute_average_surface_distance

    source = np.random.default_rng(5)
    masks = [ndimage.gaussian_filter(source.normal(size=shape), (0, *[2] * (len(shape) - 1)))
             for _ in range(2)]  # fmt: skip
    one, other = (mask > np.quantile(mask, 0.7) for mask in masks)
    one[0, :4] = True  # up to the border
    tensors = [torch.from_numpy(mask)[:, None].float() for mask in (one, other)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        average = compute_average_surface_distance(*tensors, True, symmetric=True).mean()
        largest = compute_hausdorff_distance(*tensors, True).mean()
    expected = float(average), float(largest)
    assert measures._surfaces(one, other) == pytest.approx(expected, abs=1e-5)


def test_labels_that_one_image_lacks():
    none = np.zeros((1, 32, 32), np.float32)
    both = [np.concatenate([box((10, 12), (8, 6)), part]) for part in (none, box((2, 3), (4, 4)))]
    one, other = windowed_case("a", both[:1], WINDOW), windowed_case("b", both[1:], WINDOW)
    lost = figures_of(None, (one, other), (1, 2), WINDOW)
    assert lost["dsc 2"] == 0 and math.isnan(lost["hd_mm 2"]) and lost["dsc"] == 0.5
    absent = figures_of(None, (other, one), (1, 2), WINDOW)
    assert math.isnan(absent["dsc 2"]) and absent["dsc"] == absent["dsc 1"] == 1


def test_folds_of_a_field_are_counted_both_ways():
    class Folding(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.scale = nn.Parameter(torch.tensor(-2.0))

        def forward(self, both: torch.Tensor) -> torch.Tensor:
            u = torch.zeros(len(both), 2, *both.shape[2:])
            u[:, 0] = self.scale * torch.arange(both.shape[2])[:, None]
            return u

    one = windowed_case("a", [box((10, 12), (8, 6))], WINDOW)
    figures = figures_of(Folding(), (one, one), (1,), WINDOW)
    assert figures["central"] == figures["strict"] == 1000
