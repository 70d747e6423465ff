"""What a run reports of its targets, and what it refuses."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from src_core.augment import augment, make_plan
from src_core.augment.population_report import population_html, population_of_run
from src_core.augment.shape_measures import measured_shapes
from src_core.models.model import Model
from tests.support.augmenting import asked
from tests.support.ringed import ringed_case
from tests.support.rings import save_ring

pytestmark = pytest.mark.slow


def test_fixed_targets_are_reported(data: Path, model: Model, tmp_path: Path) -> None:
    request = asked(data, tmp_path / "out", per_case=1, options={"targets": ("volume 3 x1.2",)})
    made = list(augment(make_plan(request, model), model))
    report = population_of_run(tmp_path / "out")
    assert report["targets"] == len(made) and report["measures"] == {}
    assert 0 < report["targets_within"] <= 1
    assert "targets are within their tolerances" in population_html(tmp_path / "out")


def test_a_source_without_labels_fails(model: Model, tmp_path: Path) -> None:
    save_ring(tmp_path / "data", "ring", 6)
    shutil.rmtree(tmp_path / "data" / "labels")
    request = asked(
        tmp_path / "data", tmp_path / "out", per_case=1, spread=("volume 3: x0.9..1.1",)
    )
    made = list(augment(make_plan(request, model), model))
    assert {m.state for m in made} == {"failed"}
    assert "no labels" in made[0].message


def test_roundness_and_elongation_are_measured() -> None:
    found = measured_shapes(ringed_case(), ("roundness 3", "elongation 3"), {2: 3}, 2)
    assert 0.9 < found["roundness 3"] <= 1
    assert 0 <= found["elongation 3"] < 0.1
