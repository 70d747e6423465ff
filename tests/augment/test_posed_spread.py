"""The spread of label sizes is one of the anatomy: a pose's scale and cuts do not count."""

from __future__ import annotations

import math
from typing import Any

import pytest

from src_core.augment.label_spread import VolumeTally


def line(subject: int, index: int, log_old: float, log_new: float, **more: Any) -> dict[str, Any]:
    volumes = {"2": [math.exp(log_old), math.exp(log_new)]}
    metrics = {"label_volume_ml": volumes, **more}
    case = {"case": f"s{subject}", "subject": f"s{subject}", "index": index}
    return {**case, "state": "made", "metrics": metrics}


def spread(lines: list[dict[str, Any]]) -> Any:
    tally = VolumeTally()
    for one in lines:
        tally.add(one)
    return tally.spread()


def test_a_zoom_is_no_variety() -> None:
    bare = [line(s, i, s, s + 0.1 * (-1) ** i) for s in range(3) for i in (1, 2)]
    zoomed = [
        line(s, i, s, s + 0.1 * (-1) ** i + math.log(factor), pose_volume=factor)
        for s in range(3)
        for i, factor in ((1, 0.5), (2, 2.0))
    ]
    assert spread(zoomed).seeds == pytest.approx(spread(bare).seeds)


def test_a_label_that_was_cut_off_does_not_count() -> None:
    bare = [line(s, i, s, s + 0.1 * (-1) ** i) for s in range(3) for i in (1, 2)]
    cut = line(0, 3, 0, -5, label_cut_percent={"2": 80.0}, pose_volume=1.0)
    whole = line(0, 3, 0, -5, label_cut_percent={"2": 0}, pose_volume=1.0)
    assert spread([*bare, cut]).seeds == pytest.approx(spread(bare).seeds)
    assert spread([*bare, whole]).seeds > spread(bare).seeds + 0.1
