"""Measures of a segmentation by closed form: Dice, distances in mm, labels that are absent."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

pytest.importorskip("monai")
from src_core.tasks.segmentation.measures import figures_of
from tests.support.segmentations import SPACING


def marked(*places: tuple[slice | int, ...], label: int = 1) -> torch.Tensor:
    classes = torch.zeros(6, 20, 18, dtype=torch.long)
    for place in places:
        classes[place] = label
    return classes


def test_two_boxes_that_overlap_by_half():
    reported = marked(np.s_[1:3, 4:8, 5:9])
    seen = marked(np.s_[1:3, 6:12, 5:9])
    found = figures_of(seen, reported, (7,), SPACING)
    assert found["sensitivity 7"] == pytest.approx(2 / 4)
    assert found["precision 7"] == pytest.approx(2 / 6)
    assert found["dsc 7"] == found["dsc"] == pytest.approx(2 * 2 / (4 + 6))


@pytest.mark.parametrize(
    ("seen", "mm"),
    [(np.s_[3, 4:8, 5:9], 8.0), (np.s_[4, 4:8, 5:9], 16.0), (np.s_[2, 4:8, 5:9], 0.0)],
)
def test_planes_apart_have_their_distance_in_millimetres(seen, mm):
    reported = marked(np.s_[2, 4:8, 5:9])
    assert figures_of(marked(seen), reported, (1,), SPACING)["asd 1"] == pytest.approx(mm)


def test_lines_apart_in_the_plane_are_measured_by_its_pixels():
    found = figures_of(marked(np.s_[2, 4, 3:9]), marked(np.s_[2, 6, 3:9]), (1,), SPACING)
    assert found["asd"] == pytest.approx(2 * 1.5)


def test_a_missed_label_counts_as_nothing_found_and_an_absent_one_not_at_all():
    reported = marked(np.s_[1:3, 4:8, 5:9])
    found = figures_of(marked(), reported, (1, 2), SPACING)
    assert (found["dsc 1"], found["precision 1"], found["missed 1"]) == (0, 0, 1)
    assert math.isnan(found["asd 1"]) and math.isnan(found["dsc 2"])
    assert (found["dsc"], found["missed"]) == (0, 1) and math.isnan(found["asd"])
