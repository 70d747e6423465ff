"""Runs of pairs that are stopped, refused or split over workers: the same bits."""

from __future__ import annotations

import multiprocessing
from collections import Counter
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from src_core.augment import Filters, Made, augment, make_plan, steps
from src_core.errors import InputError
from src_core.models import library
from tests.support import tiny
from tests.support.augmented_pairs import FORMATS, request
from tests.support.clusters import cluster
from tests.support.files import bytes_of


def test_a_stopped_run_resumes_to_the_same_bits(dataset: Path, tmp_path: Path) -> None:
    model = tiny.model()
    for _ in augment(make_plan(request(dataset, tmp_path / "whole"), model), model):
        pass
    stopped = tmp_path / "stopped"
    runs = augment(make_plan(request(dataset, stopped), model), model)
    next(runs)
    runs.close()
    (stopped / "pairs" / ".x.partial").mkdir()
    made = list(augment(make_plan(request(dataset, stopped, resume=True), model), model))
    assert [m.state for m in made] == ["kept"] + ["made"] * 3 + ["failed"] * 2
    assert bytes_of(stopped) == bytes_of(tmp_path / "whole")


@pytest.mark.proof
def test_neither_workers_nor_a_death_among_them_change_a_bit(
    dataset: Path, tmp_path: Path, named_model: Path
) -> None:
    model = library.load_model(str(named_model), "cpu")
    states = {"made": 4, "failed": 2}
    alone, two = (
        make_plan(request(dataset, tmp_path / f"{n}", workers=n, formats=FORMATS), model)
        for n in (1, 2)
    )
    assert Counter(m.state for m in augment(alone, model)) == states
    found: Counter[str] = Counter()
    for value in steps(two, model):
        if isinstance(value, Made):
            if not found:
                multiprocessing.active_children()[0].kill()
            found[value.state] += 1
    assert found == states
    assert bytes_of(tmp_path / "1") == bytes_of(tmp_path / "2")


@pytest.mark.slow
@pytest.mark.skipif(find_spec("distributed") is None, reason="the extra dask is not installed")
def test_a_cluster_makes_the_same_pairs(dataset: Path, tmp_path: Path, named_model: Path) -> None:
    model = library.load_model(str(named_model), "cpu")
    with cluster(tmp_path, workers=1) as (there, _):
        for name, address in (("here", ""), ("there", there)):
            asked = request(dataset, tmp_path / name, per_case=1, dask=address)
            list(augment(make_plan(asked, model), model))
    assert bytes_of(tmp_path / "here") == bytes_of(tmp_path / "there")


@pytest.mark.slow
def test_pairs_are_rejected_and_tried_again_at_the_same_levels(
    dataset: Path, tmp_path: Path
) -> None:
    model = tiny.model()
    plain = request(dataset, tmp_path / "plain")
    reach = sorted(
        m.metrics["max_mm"] for m in augment(make_plan(plain, model), model) if m.metrics
    )
    filters = Filters(max_mm=(reach[1] + reach[2]) / 2, retries=30)
    picky = request(dataset, tmp_path / "picky", filters=filters)
    made = [m for m in augment(make_plan(picky, model), model) if m.state != "failed"]
    assert sum(bool(m.refused) for m in made) == 2
    for m in (m for m in made if m.state == "made"):
        assert m.metrics["max_mm"] <= filters.max_mm
        first, second = m.job.options
        assert (m.metrics["moving_level"], m.metrics["level"]) == (first.level, second.level)
        assert bool(m.refused) == (m.metrics["seed"] != second.seed)


def test_another_run_is_not_mixed_in(dataset: Path, tmp_path: Path) -> None:
    model, out = tiny.model(), tmp_path / "out"
    next(augment(make_plan(request(dataset, out), model), model))
    with pytest.raises(InputError, match="not empty"):
        next(augment(make_plan(request(dataset, out), model), model))
    other = request(dataset, out, between=(5, 6), resume=True)
    with pytest.raises(InputError, match="differs in between"):
        next(augment(make_plan(other, model), model))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"formats": ("nnunet",)}, "nnunet is not a format of pairs"),
        ({"between": (70, 90)}, "level 90"),
        ({"per_case": 0}, "per_case"),
        ({"workers": 0}, "workers"),
        ({"levels": (70, 90)}, "level 90"),
        ({"split": "train"}, "split"),
        ({"options": {"steps": 0}}, "steps"),
    ],
)
def test_a_wrong_call_is_reported_in_one_line(
    dataset: Path, tmp_path: Path, values: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        make_plan(request(dataset, tmp_path / "out", **values), tiny.model())


def test_a_full_disk_stops_the_run(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("src_core.augment.jobs.free_bytes", lambda folder: 10)
    model = tiny.model()
    with pytest.raises(InputError, match="disk is full"):
        list(augment(make_plan(request(dataset, tmp_path / "out"), model), model))
