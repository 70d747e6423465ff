"""Numbers that are none, images too small for any anatomy, and results as text."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

from src_core.cases.case import Case
from src_core.errors import GeometryWarning, InputError
from src_core.errors.options import option_fields
from src_core.generation import generate
from src_core.generation.model_view import make_model_view
from src_core.generation.options import CallOptions, Options, make_options
from src_core.models.model import Model

NUMBERS = [name for name, option in option_fields(Options).items() if option.kind in (int, float)]


@pytest.mark.parametrize("value", [True, False])
@pytest.mark.parametrize("name", NUMBERS)
def test_a_boolean_is_no_number(name: str, value: bool) -> None:
    with pytest.raises(InputError, match=f"^{value} is not possible") as found:
        make_options(80, **{name: value})
    assert found.value.option == name and found.value.expected
    assert not isinstance(getattr(make_options(80), name), bool)


def test_nor_in_what_a_call_takes_besides() -> None:
    with pytest.raises(InputError, match="True is not possible"):
        CallOptions(max_mm=True)
    assert make_options(80, allow_folds=True).allow_folds is True


def image(*shape: int) -> Case:
    return Case.from_arrays(np.random.default_rng(0).random(shape, np.float32), name="tiny")


@pytest.mark.parametrize("shape", [(2, 2), (5, 7), (7, 3, 4)])
def test_an_image_of_a_few_voxels_is_warned_of(shape: tuple[int, ...], model: Model) -> None:
    with pytest.warns(GeometryWarning, match=f"only {shape[0]} x {shape[1]} voxels .* tiny"):
        make_model_view(image(*shape), model.spec, "shared")


def test_a_narrow_image_is_not(model: Model) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        make_model_view(image(8, 2), model.spec, "shared")


def test_a_result_is_one_short_line(model: Model) -> None:
    given: dict[str, Any] = {"level": 20, "seed": 3}
    text = repr(generate(image(24, 20), model, **given))
    assert text.startswith("Result(level 20, seed 3, ") and "Case('tiny', 24 x 20 x 1" in text
    assert len(text) < 200 and "\n" not in text
