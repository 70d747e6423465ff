"""Options read from their fields: range, default, text, and errors that name the option."""

from __future__ import annotations

import pickle
from dataclasses import asdict, replace
from typing import Annotated, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, ValidationError

from src_core.augment.filters import Filters
from src_core.augment.levels import levels_text, parse_distribution
from src_core.augment.request import Request
from src_core.errors import InputError
from src_core.errors.options import (
    Display,
    TextForm,
    option_class,
    option_field,
    option_fields,
    parsed,
    same,
)
from src_core.generation.options import Options, parse_region, region_text
from src_core.io.options import FileOptions


@option_class
class First:
    count: Annotated[int, Display(label="How many")] = Field(default=2, ge=1, description="Number.")
    much: float | None = Field(default=None, gt=0, description="Amount.")
    seed: int = Field(default=0, ge=0, lt=2**63)
    kind: Literal["a", "b", "c"] = "a"
    on: bool = False


@option_class
class Second:
    name: str
    count: int = same(First, "count", default=5, description="Number of all.")


@pytest.mark.parametrize(
    ("name", "possible", "default", "label"),
    [
        ("count", "1 or more", "2", "How many"),
        ("much", "more than 0", "none", "Much"),
        ("seed", "a whole number from 0 to 2^63 - 1", "0", "Seed"),
        ("kind", "a, b or c", "a", "Kind"),
        ("on", "on or off", "off", "On"),
    ],
)
def test_an_option_in_words(name: str, possible: str, default: str, label: str) -> None:
    option = option_field(First, name)
    assert (option.range, option.default_text, option.label) == (possible, default, label)


def test_the_same_option_keeps_its_range_and_label() -> None:
    option = option_field(Second, "count")
    assert (option.default, option.help, option.least) == (5, "Number of all.", 1)
    assert option.label == "How many" and option_field(First, "count").default == 2
    assert option_field(Second, "name").default_text == "required"


@pytest.mark.parametrize(
    ("values", "name", "expected"),
    [
        ({"count": 0}, "count", "1 or more"),
        ({"count": 1.5}, "count", "1 or more"),
        ({"much": 0}, "much", "more than 0"),
        ({"seed": 2**63}, "seed", "a whole number from 0 to 2^63 - 1"),
        ({"kind": "d"}, "kind", "a, b or c"),
        ({"other": 1}, "other", "one of: count, much, seed, kind, on"),
    ],
    ids=str,
)
def test_a_wrong_value_is_an_error_that_names_the_option(
    values: dict[str, object], name: str, expected: str
) -> None:
    with pytest.raises(InputError) as caught:
        First(**values)  # type: ignore[arg-type]
    assert (caught.value.option, caught.value.expected) == (name, expected)
    assert isinstance(caught.value.__cause__, ValidationError)


def test_an_option_class_is_a_frozen_dataclass() -> None:
    first = First(3, kind="b")
    assert pickle.loads(pickle.dumps(first)) == first == replace(First(), count=3, kind="b")
    assert asdict(first) == {"count": 3, "much": None, "seed": 0, "kind": "b", "on": False}
    with pytest.raises(AttributeError):
        first.count = 4  # type: ignore[misc]
    with pytest.raises(TypeError):
        First(1, None, 0, "a", False, 9)  # type: ignore[call-arg]
    with pytest.raises(InputError):
        replace(first, count=0)


def test_an_error_of_two_options_is_kept() -> None:
    with pytest.raises(InputError, match="nothing moves between 5 and 3 mm, min_mm") as caught:
        Filters(5, 3)
    assert caught.value.option == "min_mm"


def test_texts_are_read_and_others_left() -> None:
    options = {**option_fields(Request), **option_fields(Options)}
    values = parsed(options, {"levels": "30:50", "region": "", "seed": 3, "unknown": "1:2"})
    assert values == {"levels": (30, 50), "region": None, "seed": 3, "unknown": "1:2"}
    assert all(o.text is None or isinstance(o.text, TextForm) for o in options.values())


@given(st.lists(st.tuples(st.integers(0, 999), st.integers(0, 999)), min_size=3, max_size=3))
def test_a_region_is_read_as_it_is_written(ends: list[tuple[int, int]]) -> None:
    region = tuple(ends)
    assert parse_region(region_text(region)) == region  # type: ignore[arg-type]


@given(st.dictionaries(st.integers(0, 80), st.integers(1, 9), min_size=2, max_size=5))
def test_weights_of_levels_are_read_as_they_are_written(levels: dict[int, int]) -> None:
    assert parse_distribution(levels_text(levels)) == levels


def test_a_format_that_is_unknown_is_refused() -> None:
    with pytest.raises(InputError, match="vtk is not possible, field_format, expected itk, fsl"):
        FileOptions(field_format="vtk")
