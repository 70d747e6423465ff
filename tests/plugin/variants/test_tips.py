"""What the tooltip of a thumbnail says, and which slice the thumbnail shows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("qtpy.QtWidgets", reason="no Qt binding is installed", exc_type=ImportError)

from napari_drdm.variants.thumbnails import frame_case
from src_core.cases.case import Case
from src_core.steering.targets import parse_target
from tests.support import tiny
from tests.support.variants import outcome, request


def tip(bench) -> str:
    return bench.panel.strip.item(0).toolTip()


def test_numbers_of_targets_are_rounded(bench):
    target = parse_target("point 1.23456789,2,3.5 -> -0.000123,20.25,7.128999")
    bench.add(seed=1, targets=(target,))
    assert "targets: point 1.23,2,3.5 -> 0,20.25,7.13" in tip(bench)


@pytest.mark.parametrize("ndim", [2, 3])
def test_only_a_2d_model_deforms_slices(bench, tmp_path, ndim):
    bench.add(seed=1)
    assert ", slices one for all" in tip(bench)
    model = tiny.save(tmp_path, name=f"of{ndim}", ndim=ndim)
    asked = replace(request(bench.image, bench.labels, seed=2), model=model)
    bench.variants.add(outcome(asked))
    assert (", slices one for all" in tip(bench)) is (ndim == 2)


def test_a_thumbnail_without_labels_shows_no_empty_slice():
    values = np.zeros((9, 11, 13))
    values[2:6, 3:8, 10:12] = np.random.default_rng(0).random((4, 5, 2)) + 1
    assert frame_case(Case.from_arrays(values, spacing=(1, 1, 1.5)), (0, 2)).index == 10
    even = np.random.default_rng(0).random((9, 11, 13))
    assert frame_case(Case.from_arrays(even, spacing=(1, 1, 1.5)), (0, 2)).index == 6
