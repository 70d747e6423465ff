"""Runs whose new cases are drawn from spreads, or like another data set."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import wasserstein_distance

from src_core.augment import augment, make_plan
from src_core.augment.cohort import COHORT
from src_core.augment.manifest import lines
from src_core.augment.population_report import POPULATION, population_of_run
from src_core.cli import run
from src_core.errors import InputError
from src_core.models.model import Model
from tests.support.augmenting import asked, shell
from tests.support.rings import save_ring

pytestmark = pytest.mark.slow
RADII = (4.5, 5, 5.5, 6, 6.5, 7, 7.5, 8)


@pytest.fixture(scope="session")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cohort")
    for number, radius in enumerate(RADII):
        save_ring(folder, f"real{number}", radius)
    return folder


@pytest.fixture(scope="session")
def like(data: Path, cohort: Path, model: Model, tmp_path_factory) -> Path:
    """Two new cases of each of three rings, sized like eight others."""
    out = tmp_path_factory.mktemp("like") / "out"
    made = list(augment(make_plan(asked(data, out, per_case=2, like=cohort), model), model))
    assert [m.state for m in made] == ["made"] * 6
    return out


def population(out: Path) -> list[dict]:
    return [line["population"] for line in lines(out)]


def test_the_manifest_says_what_was_wanted_and_what_came_of_it(like: Path) -> None:
    for line in lines(like):
        found, targets = line["population"], line["metrics"]["targets"]
        assert found["wanted"].keys() == {"volume 3", "thickness 2"}
        assert [t["target"] for t in targets] == line["recipe"]["options"]["targets"]
        assert found["like"] in {f"real{n}" for n in range(len(RADII))}
        sizes = line["metrics"]["label_volume_ml"]
        for label, name in (("2", "volume 2"), ("3", "volume 3")):
            before, after = sizes[label]
            assert found["shapes"]["source"][name] == pytest.approx(before)
            assert found["shapes"]["new"][name] == pytest.approx(after)
        by_name = {" ".join(t["target"].split(" ")[:2]): t for t in targets}
        assert by_name["volume 3"]["asked"] == found["wanted"]["volume 3"]


def test_distances_are_those_between_the_logarithms(like: Path) -> None:
    report = population_of_run(like)
    assert json.loads((like / POPULATION).read_text()) == report
    kept = json.loads((like / COHORT).read_text())
    for place, name in enumerate(kept["measures"]):
        real = np.log([row[place] for row in kept["values"]])
        for group in ("new", "plain", "source"):
            own = np.log([p["shapes"][group][name] for p in population(like)])
            distance = wasserstein_distance(own, real)
            assert report["measures"][name][f"{group}_to_real"] == pytest.approx(distance)
    size = report["measures"]["volume 3"]
    assert size["new_to_real"] < size["source_to_real"]
    assert report["targets"] == 12 and report["targets_within"] > 0.7


def test_a_new_case_is_made_again_to_the_same_bits(like: Path, capsys) -> None:
    assert run(["replay", str(like / "manifest.jsonl"), "--sample", "p2-002"]) == 0


def test_the_cohort_is_measured_once_and_has_to_stay(
    data: Path, cohort: Path, like: Path, model: Model
) -> None:
    kept = json.loads((like / COHORT).read_text())
    assert kept["measures"] == ["volume 2", "volume 3", "thickness 2"]
    assert np.all(np.diff([row[1] for row in kept["values"]]) > 0)
    request = asked(data, like, per_case=2, like=cohort, resume=True)
    assert {m.state for m in augment(make_plan(request, model), model)} == {"kept"}
    save_ring(cohort, "real8", 9)
    try:
        with pytest.raises(InputError, match="has changed since the run began"):
            list(augment(make_plan(request, model), model))
    finally:
        for kind in ("images", "labels"):
            (cohort / kind / "real8.nii.gz").unlink()
    other = asked(data, like, per_case=2, resume=True)
    with pytest.raises(InputError, match="differs in"):
        list(augment(make_plan(other, model), model))


def test_the_shell_spreads_a_measure_and_reports_it(
    data: Path, file: Path, tmp_path: Path, capsys
) -> None:
    words = ["--spread", "volume 3: x0.7..1.3", "--target", "hold 2", "--format", "nifti"]
    assert shell(data, tmp_path / "out", file, *words, "--json") == 0
    report = json.loads(capsys.readouterr().out)["population"]
    assert report["measures"]["volume 3"]["new_cases"] == 3
    wanted = [p["wanted"]["volume 3"] for p in population(tmp_path / "out")]
    old = [p["shapes"]["source"]["volume 3"] for p in population(tmp_path / "out")]
    assert all(0.7 <= w / o <= 1.3 for w, o in zip(wanted, old, strict=True))
    page = (tmp_path / "out" / "summary.html").read_text(encoding="utf-8")
    assert "<h2>Population</h2>" in page and "<polyline" in page


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--spread", "volume 3: 5"], "the spread 'volume 3: 5' is not possible, --spread"),
        (["--like", "nowhere"], "no such data set, nowhere, --like"),
        (["--spread", "volume 3: x0.7..1.3", "--target", "hold 3"], "cannot both be"),
    ],
)
def test_what_cannot_be_is_refused_before_the_run(
    data: Path, file: Path, tmp_path: Path, capsys, words: list[str], message: str
) -> None:
    assert shell(data, tmp_path / "out", file, *words) == 2
    error = capsys.readouterr().err
    assert message in error and not (tmp_path / "out").exists()


def test_a_cohort_needs_three_labelled_cases(
    data: Path, file: Path, tmp_path: Path, capsys
) -> None:
    for name in ("a", "b"):
        save_ring(tmp_path / "few", name, 5)
    assert shell(data, tmp_path / "out", file, "--like", str(tmp_path / "few")) == 2
    assert "2 labelled cases are too few" in capsys.readouterr().err
