"""Options of a generation: impossible ones are refused in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from src_core.cases.case import Case
from src_core.errors import InputError
from src_core.generation import Options, generate, make_options
from src_core.models.library import (
    load_model,
)
from tests.support.small_model import arrays


@pytest.fixture
def case() -> Case:
    image, labels = arrays()
    return Case.from_arrays(image, labels, spacing=(1.4, 1.9, 8.0))


@pytest.mark.parametrize(
    ("option", "expected"),
    [
        ({"level": 81}, "0 to 80"),
        ({"level": -1}, "0 to 80"),
        ({"level": 4.5}, "0 to 80"),
        ({"steps": 0}, "1 or more"),
        ({"seed": -1}, "a whole number from 0"),
        ({"seed": 2**63}, "a whole number from 0"),
        ({"slices": "all"}, "shared"),
        ({"interpolation": "quintic"}, "linear"),
        ({"colour": "red"}, "colour"),
    ],
    ids=str,
)
def test_an_impossible_option_is_reported_in_one_line(
    case: Case, file: Path, option: dict[str, object], expected: str
) -> None:
    (name,) = option
    with pytest.raises(InputError, match=expected) as caught:
        generate(case, load_model(file, "cpu"), **option)
    assert "\n" not in str(caught.value) and f", {name}, " in str(caught.value)


def test_possible_options_are_kept() -> None:
    assert make_options(80, level=80, seed=0, steps=1) == Options(level=80, seed=0, steps=1)
    assert make_options(80, level=0).level == 0
