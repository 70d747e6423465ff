"""Measures of a segmentation by closed form and by MONAI: Dice, distances, labels that lack."""

from __future__ import annotations

import math

import numpy as np
import pytest

from src_core.tasks.segmentation.measures import (
    LabelCount,
    count_labels,
    figures_of,
    surface_distance,
)
from tests.support.segmentations import SPACING


def marked(*places: tuple[slice | int, ...], label: int = 1) -> np.ndarray:
    classes = np.zeros((6, 20, 18), np.uint8)
    for place in places:
        classes[place] = label
    return classes


def figures(seen: np.ndarray, truth: np.ndarray, labels: tuple[int, ...], **more) -> dict:
    return figures_of(count_labels(seen, truth, len(labels), SPACING, **more), labels)


def test_two_boxes_that_overlap_by_half():
    truth, seen = marked(np.s_[1:3, 4:8, 5:9]), marked(np.s_[1:3, 6:12, 5:9])
    found = figures(seen, truth, (7,))
    assert found["sensitivity 7"] == pytest.approx(2 / 4)
    assert found["precision 7"] == pytest.approx(2 / 6)
    assert found["dsc 7"] == found["dsc"] == pytest.approx(2 * 2 / (4 + 6))


def test_what_lies_outside_the_crop_counts_as_not_found():
    truth = marked(np.s_[1:3, 4:8, 5:9])
    found = figures(truth, truth, (7,), beyond=(32,))
    assert found["dsc"] == pytest.approx(2 * 32 / (32 + 64)) and found["sensitivity"] == 0.5


@pytest.mark.parametrize(
    ("seen", "mm"),
    [(np.s_[3, 4:8, 5:9], 8.0), (np.s_[4, 4:8, 5:9], 16.0), (np.s_[2, 4:8, 5:9], 0.0)],
)
def test_planes_apart_have_their_distance_in_millimetres(seen, mm):
    truth = marked(np.s_[2, 4:8, 5:9])
    assert figures(marked(seen), truth, (1,))["asd 1"] == pytest.approx(mm)


def test_a_missed_label_counts_as_nothing_found_and_an_absent_one_not_at_all():
    found = figures(marked(), marked(np.s_[1:3, 4:8, 5:9]), (1, 2))
    assert (found["dsc 1"], found["precision 1"], found["missed 1"]) == (0, 0, 1)
    assert math.isnan(found["asd 1"]) and math.isnan(found["dsc 2"])
    assert (found["dsc"], found["missed"]) == (0, 1) and math.isnan(found["asd"])
    assert math.isnan(LabelCount(0, 5, 0, 1.0).figures()["dsc"])


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_surface_distances_are_those_of_monai():
    monai = pytest.importorskip("monai.metrics.surface_distance")
    import torch

    x, y, z = np.indices((14, 20, 18))
    one = (x - 6) ** 2 * 4 + (y - 9) ** 2 + (z - 8) ** 2 < 40
    other = (x - 7) ** 2 * 4 + (y - 11) ** 2 + (z - 8) ** 2 * 1.5 < 45
    masks = [torch.from_numpy(m)[None, None].float() for m in (one, other)]
    theirs = monai.compute_average_surface_distance(
        *masks, include_background=True, symmetric=True, spacing=list(SPACING)
    )
    ours = surface_distance(one, other, SPACING)
    assert ours == pytest.approx(float(torch.as_tensor(theirs)), abs=6e-4) and ours > 1
