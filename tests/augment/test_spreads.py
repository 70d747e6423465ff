"""Distributions as text, and the values that are drawn from them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import kstest, norm, spearmanr

from src_core.augment.spreads import Spread, even_numbers, parse_spread, parse_spreads
from src_core.errors import InputError
from src_core.steering.targets import parse_target


@pytest.mark.parametrize(
    "text",
    ["volume 3: 60..220 ml", "volume 3: 120+-30 ml", "thickness 2: x0.8..1.3",
     "ratio 2/3: 0.5..1.1", "area 1: 900+-120 mm2", "roundness 3: 0.7..0.95"],
)  # fmt: skip
def test_a_spread_is_read_as_it_is_written(text: str) -> None:
    spread = parse_spread(f"  {text.replace(': ', ' :  ')} ")
    assert str(spread) == text and parse_spread(str(spread)) == spread


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("volume 3: 60..220", "the unit ml"),
        ("volume 3 60..220 ml", "such as volume 3: 60..220 ml"),
        ("volume 3: 220..60 ml", "the smaller one first"),
        ("volume 3: 100+-0 ml", "mean"),
        ("point 3: 1..2 mm", "such as volume 3"),
        ("volume 3: x0.1..2", "a factor from x0.25 to x4"),
        ("volume 0: 1..2 ml", "a label's value"),
        ("thickness 2: 8..12 ml", "the unit mm"),
    ],
)
def test_what_is_no_spread_is_refused_in_one_line(text: str, expected: str) -> None:
    with pytest.raises(InputError, match="is not possible, spread") as refused:
        parse_spreads([text])
    assert str(refused.value).startswith(f"the spread '{text}'")
    assert expected in str(refused.value) and refused.value.option == "spread"


def test_a_measure_has_one_spread() -> None:
    with pytest.raises(InputError, match="volume 3 is named twice"):
        parse_spreads("volume 3: 60..220 ml; volume 3: x0.8..1.2")
    both = parse_spreads("volume 3: 60..220 ml; volume 1: x0.8..1.2")
    assert [s.measure for s in both] == ["volume 3", "volume 1"]  # type: ignore[attr-defined]


def test_values_have_the_distribution_within_what_is_possible() -> None:
    shares = (np.arange(2000) + 0.5) / 2000
    uniform, normal = parse_spread("volume 3: 60..220 ml"), parse_spread("volume 3: 120+-30 ml")
    values = [uniform.value(u, 0, 1e9) for u in shares]
    assert kstest(values, "uniform", (60, 160)).statistic < 0.001
    values = [normal.value(u, 0, 1e9) for u in shares]
    assert kstest(values, norm(120, 30).cdf).statistic < 0.003
    values = [normal.value(u, 130, 140) for u in shares]
    low, high = norm(120, 30).cdf([130, 140])
    assert kstest(values, lambda v: (norm(120, 30).cdf(v) - low) / (high - low)).statistic < 0.001


@pytest.mark.parametrize(("least", "most", "nearest"), [(300, 500, 300), (5, 20, 20)])
def test_a_source_that_reaches_no_value_takes_the_nearest(least, most, nearest) -> None:
    spread = parse_spread("volume 3: 60..220 ml")
    assert {spread.value(u, least, most) for u in (0.0, 0.4, 1.0)} == {nearest}


def test_a_value_is_asked_for_as_a_target() -> None:
    assert parse_spread("volume 3: 60..220 ml").target(104.2718) == parse_target(
        "volume 3 104.3 ml"
    )
    assert parse_spread("ratio 2/3: x0.8..1.3").target(1.1) == parse_target("ratio 2/3 x1.1")
    assert Spread("elongation 3", "uniform", 0.1, 0.4).target(0.25) == parse_target(
        "elongation 3 0.25"
    )


def test_numbers_are_even_over_indices_and_independent_over_measures() -> None:
    numbers = np.array([even_numbers(1, "anna", i, 2) for i in range(1, 33)])
    for column in numbers.T:
        assert kstest(column, "uniform").statistic < 0.1  # 0.15 is usual for random ones
        assert np.diff(np.sort(column)).max() < 0.14
    assert abs(spearmanr(*numbers.T).statistic) < 0.25
    assert np.array_equal(numbers[:4], [even_numbers(1, "anna", i, 2) for i in range(1, 5)])
    others = [even_numbers(2, "anna", 1, 2), even_numbers(1, "bert", 1, 2)]
    assert not np.isclose(others, numbers[0]).any()
