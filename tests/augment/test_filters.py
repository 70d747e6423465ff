"""Filters: seeds rejected, replaced at the same level, and not tried again."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from src_core.augment import (
    Filters,
    products,
)
from src_core.augment.levels import draw
from src_core.augment.run_folder import read_index
from src_core.cli import run
from src_core.models.model import Model
from tests.support.augment_workers import asked, done


def test_a_refused_seed_is_replaced_at_the_same_level(
    data: Path, model: Model, tmp_path: Path
) -> None:
    free = done(asked(data, tmp_path / "free", formats=("nifti",), per_case=6), model)
    limit = float(np.median([m.metrics["max_mm"] for m in free if m.job.index]))
    tamed = {"formats": ("nifti",), "per_case": 6, "filters": Filters(max_mm=limit, retries=3)}
    found = done(asked(data, tmp_path / "o", **tamed), model)
    plain = {m.job.name: m for m in free}
    assert any(m.refused and m.state == "made" for m in found)
    for made in found:
        before, allowed = plain[made.job.name], limit
        if before.job.index == 0 or before.metrics["max_mm"] <= allowed:
            assert made.state == "made" and made.refused == () and made.metrics == before.metrics
            continue
        assert made.refused[0] == "moves too far"
        if made.state == "made":
            assert made.metrics["max_mm"] <= limit
            wanted = draw(1, made.job.case, made.job.index, (20, 60), len(made.refused))
            assert (made.metrics["level"], made.metrics["seed"]) == wanted
            assert made.metrics["level"] == before.metrics["level"]
        else:
            assert len(made.refused) == 4 and made.line["files"] == {}
    assert {r["image"] for r in read_index(tmp_path / "o")} == {
        f"images/{m.job.name}.nii.gz" for m in found if m.state == "made"
    }


def test_what_was_rejected_is_not_tried_again(
    data: Path, file: Path, model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    words = ["augment", str(data), "--out", str(tmp_path / "o"), "--model", str(file)]
    words += ["--per-case", "2", "--max-mm", "0.001", "--retries", "1", "--with-sources", "--json"]
    assert run([*words, "--device", "cpu"]) == 0
    summary = json.loads(capsys.readouterr().out)
    assert (summary["made"], summary["rejected"]) == (3, 6)
    assert summary["refused"] == {"moves too far": 12}
    monkeypatch.setattr(products, "iterate", None)
    assert run([*words[:-1], "--device", "cpu", "--resume"]) == 0
    printed = capsys.readouterr().out
    assert "made 0, kept 3, failed 0" in printed
    assert "rejected 12 seeds: moves too far 12; new cases rejected 6" in printed
    page = (tmp_path / "o" / "summary.html").read_text()
    assert "<tr><td>moves too far</td><td>12</td></tr>" in page


@pytest.mark.parametrize(
    ("filters", "metrics", "why"),
    [
        (Filters(max_mm=3), {"max_mm": 3.01}, "moves too far"),
        (Filters(max_mm=3), {"max_mm": 3.0}, ""),
        (Filters(min_mm=3), {"max_mm": 2.9}, "moves too little"),
        (Filters(keep_labels=True), {"labels_lost": [2]}, "label lost"),
        (Filters(keep_whole=True), {"labels_split": [2]}, "label split"),
        (Filters(), {"labels_split": [2], "labels_lost": [1], "max_mm": 99}, ""),
        (Filters(max_volume_change=10), {"label_volume_change": {"1": -10.5, "2": 3}},
         "label volume changed too much"),
        (Filters(max_volume_change=10), {"label_volume_change": {"1": -9.5, "2": 9}}, ""),
    ],
)  # fmt: skip
def test_filters(filters: Filters, metrics: dict[str, object], why: str) -> None:
    plain = {"max_mm": 5, "labels_lost": [], "labels_split": [], "label_volume_change": {}}
    assert filters.refused({**plain, **metrics}) == why
