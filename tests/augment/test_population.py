"""What new cases are to be: draws that follow a cohort, as far as a source can reach it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import wasserstein_distance

from src_core.augment.cohort import Cohort
from src_core.augment.population import REACH, Population
from src_core.augment.spreads import parse_spreads
from src_core.errors import InputError
from src_core.steering.contradictions import check_together
from src_core.steering.targets import parse_target

MEASURES = ("volume 1", "volume 2", "volume 3", "thickness 2")


def cohort(count: int = 60, spread: float = 0.25) -> Cohort:
    """Sizes and thickness with a common part, as in people; the wall's size follows."""
    rng = np.random.default_rng(3)
    common = rng.normal(size=count)
    logs = np.log([90, 110, 120, 9]) + spread * (
        common[:, None] * [0.8, 0.5, 1, -0.4] + 0.3 * rng.normal(size=(count, 4))
    )
    names = tuple(f"case{i}" for i in range(count))
    return Cohort(names, names, MEASURES, np.exp(logs), {2: 3})


def population(**others: object) -> Population:
    values = {"seed": 1, "spreads": (), "cohort": cohort(), "fixed": (), "ndim": 2, **others}
    return Population(**values)  # type: ignore[arg-type]


def now(factor: float = 1.0) -> dict[str, float]:
    return dict(zip(MEASURES, factor * np.array([90.0, 110, 120, 9]), strict=True))


def test_draws_of_a_source_that_reaches_all_have_the_distribution_of_the_cohort() -> None:
    everyone = population()
    drawn = [everyone.draw(now(), "anna", i) for i in range(1, 121)]
    assert {d.within > 0.95 for d in drawn} == {True}
    assert everyone.cohort is not None
    wanted = {n: [d.wanted[n] for d in drawn] for n in drawn[0].wanted}
    for name, values in wanted.items():
        real = np.log(everyone.cohort.column(name))
        assert wasserstein_distance(np.log(values), real) < 0.25 * real.std()
        assert np.log(values).std() == pytest.approx(real.std(), rel=0.2)
    joint = np.corrcoef(np.log([wanted["volume 3"], wanted["thickness 2"]]))[0, 1]
    real = np.log(everyone.cohort.values[:, [2, 3]])
    assert joint == pytest.approx(np.corrcoef(real.T)[0, 1], abs=0.15)


def test_a_wall_is_asked_for_by_its_thickness_alone() -> None:
    drawn = population().draw(now(), "anna", 1)
    assert set(drawn.wanted) == {"volume 1", "volume 3", "thickness 2"}
    check_together(drawn.targets)
    assert [t.words.split(" ")[:2] for t in drawn.targets] == [
        ["volume", "1"], ["volume", "3"], ["thickness", "2"]]  # fmt: skip


def test_draws_stay_within_what_a_source_can_reach_and_say_so() -> None:
    small = now(0.6)
    drawn = [population().draw(small, "small", i) for i in range(1, 41)]
    assert all(0 < d.within < 0.9 for d in drawn) and any(d.limited for d in drawn)
    for one in drawn:
        for name, value in one.wanted.items():
            low, high = REACH[name.split(" ")[0]]
            assert low * 0.999 <= value / small[name] <= high * 1.001
            nearest = min(abs(value / small[name] - end) for end in (low, high))
            assert name not in one.limited or nearest < 0.01


def test_a_source_without_any_real_case_in_reach_takes_what_it_can_reach() -> None:
    drawn = [population().draw(now(0.05), "tiny", i) for i in range(1, 9)]
    assert {d.within for d in drawn} == {0.0}
    assert all(d.wanted["volume 3"] == pytest.approx(2.3 * 6, rel=1e-3) for d in drawn)


def test_what_is_asked_otherwise_is_not_drawn_from_the_cohort() -> None:
    spreads = parse_spreads("volume 3: 100..140 ml")
    both = population(spreads=spreads, fixed=(parse_target("hold 1"),)).draw(now(), "anna", 2)
    assert set(both.wanted) == {"volume 3", "thickness 2"}
    assert 100 <= both.wanted["volume 3"] <= 140
    check_together((parse_target("hold 1"), *both.targets))


def test_a_case_draws_the_same_whatever_else_is_made() -> None:
    one = population().draw(now(), "anna", 3)
    assert one == population().draw(now(), "anna", 3)
    assert one != population().draw(now(), "anna", 4)
    assert one != population(seed=2).draw(now(), "anna", 3)
    assert one.wanted != population().draw(now(), "bert", 3).wanted


def test_sources_of_one_kind_together_draw_every_real_case_equally_often() -> None:
    small = [now(f) for f in (0.45, 0.5, 0.55, 0.6, 1.1)]
    for one in small:
        one["thickness 2"] = 9.0
    plain = population()
    balanced = plain.balanced(small)
    assert plain.cohort is not None
    real = np.log(plain.cohort.column("volume 3"))
    distances = []
    for some in (plain, balanced):
        logs = [
            np.log(some.draw(one, f"case{k}", i).wanted["volume 3"])
            for k, one in enumerate(small)
            for i in range(1, 17)
        ]
        distances.append(wasserstein_distance(logs, real))
    assert distances[1] < 0.5 * distances[0] and distances[1] < 0.25 * real.std()
    assert balanced.draw(small[0], "case0", 1) == plain.balanced(small).draw(small[0], "case0", 1)


def test_spreads_are_drawn_within_reach_and_limits_are_reported() -> None:
    spreads = parse_spreads("volume 3: 60..400 ml; thickness 2: x0.9..1.2")
    drawn = [population(spreads=spreads, cohort=None).draw(now(), "anna", i) for i in range(1, 41)]
    values = [d.wanted["volume 3"] for d in drawn]
    assert min(values) >= 60 and max(values) <= 120 * 2.3 * 1.001 and max(values) > 240
    assert {d.limited for d in drawn} == {("volume 3",)}
    assert all(8.1 - 1e-9 <= d.wanted["thickness 2"] <= 10.8 + 1e-9 for d in drawn)
    assert drawn[0].targets[1].words.startswith("thickness 2 x")


def test_a_spread_that_a_source_cannot_reach_is_refused() -> None:
    wide = population(spreads=parse_spreads(["volume 3: 9000..9999 ml"]), cohort=None)
    with pytest.raises(InputError, match="out of this source's reach") as wrong:
        wide.draw(now(), "anna", 1)
    assert wrong.value.option == "spread"
