"""Variety of a generation: where organs come from, whose default holds, and what recipes keep."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from src_core.cases.case import Case
from src_core.cli import run as drdm
from src_core.errors import InputError
from src_core.generation import Result, Session, generate, make_options, save_result
from src_core.io import read_case
from src_core.models.library import load_model
from src_core.models.model import Model
from tests.support import tiny

ORGANS = ({"name": "box", "labels": (1,)},)


def organ_parts(**recovery: Any) -> dict[str, Any]:
    network = {**tiny.SPEC["network"], "organs": 1}  # type: ignore[dict-item]
    return {"network": network, "organs": ORGANS, "recovery": {"steps": 3, **recovery}}


def unlabelled() -> Case:
    return Case.from_arrays(tiny.case().image, affine=tiny.OBLIQUE)


def options(**changes: Any) -> Any:
    return make_options(80, level=60, seed=4, **changes)


def made(case: Case, model: Model, level: int = 60, **changes: Any) -> Result:
    return generate(case, model, level=level, seed=4, **changes)


def test_variety_needs_organs_or_labels() -> None:
    session = Session(unlabelled(), tiny.model())
    with pytest.raises(InputError, match="the model tiny finds no organs") as caught:
        list(session.steps(options(variety=0.5)))
    assert caught.value.option == "variety" and "labels" in str(caught.value.do)
    for variety in (None, 0.0):
        session.check(options(variety=variety))
    Session(tiny.case(), tiny.model()).check(options(variety=0.5))
    Session(unlabelled(), tiny.model(**organ_parts())).check(options(variety=0.5))


def test_labels_are_the_organs_of_a_model_that_finds_none() -> None:
    session = Session(tiny.case(), tiny.model())
    variety = session.variety(options(variety=0.5))
    expected = session.view.label_shares(0, session.model.spec.state)
    assert variety is not None and variety.share == 0.5
    assert expected is not None and torch.equal(variety.organs, expected)
    assert expected.any()


def test_a_model_with_organs_finds_them_itself() -> None:
    model = tiny.model(**organ_parts())
    cases = (tiny.case(), unlabelled())
    found = [Session(case, model).variety(options(variety=1)) for case in cases]
    with torch.inference_mode():
        expected = model.organ_shares(Session(unlabelled(), model).images(0))
    assert found[0] is not None and found[1] is not None and expected is not None
    assert torch.equal(found[0].organs, expected) and torch.equal(found[1].organs, expected)


def test_the_models_own_variety_is_the_default() -> None:
    session = Session(unlabelled(), tiny.model(**organ_parts(variety=0.4)))
    own = session.variety(options())
    assert own is not None and own.share == 0.4
    assert session.variety(options(variety=0)) is None
    chosen = session.variety(options(variety=0.9))
    assert chosen is not None and chosen.share == 0.9
    assert Session(tiny.case(), tiny.model()).variety(options()) is None


@pytest.mark.parametrize("slices", ["shared", "each"])
def test_the_same_seed_gives_the_same_bits_and_another_variety_other_ones(slices: str) -> None:
    case, model = tiny.case(), tiny.model()
    first = made(case, model, variety=1, slices=slices)
    again = made(case, model, variety=1, slices=slices)
    plain, none = (made(case, model, slices=slices, **o) for o in ({}, {"variety": 0}))
    assert first.recipe["outputs"] == again.recipe["outputs"]
    assert np.array_equal(plain.displacement, none.displacement)
    assert np.abs(first.displacement - plain.displacement).max() > 0.05
    assert first.metrics["certified"]


def test_only_a_chosen_variety_is_in_the_recipe() -> None:
    case, model = tiny.case((52, 60, 1)), tiny.model()
    assert made(case, model, variety=0.7).recipe["options"]["variety"] == 0.7
    assert "variety" not in made(case, model).recipe["options"]


@pytest.mark.parametrize("with_labels", [True, False])
def test_a_recipe_with_variety_replays_to_the_same_bits(
    with_labels: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By labels with a model without organs, and without labels by the model's own maps."""
    parts = {} if with_labels else organ_parts()
    model = load_model(tiny.save(tmp_path / "models", **parts))
    stored = save_result(made(tiny.case(), model, level=1), tmp_path / "case")
    labels = stored / "labels.nii.gz" if with_labels else None
    result = made(read_case(stored / "image.nii.gz", labels), model, variety=0.8)
    out = save_result(result, tmp_path / "out")
    assert json.loads((out / "recipe.json").read_text())["options"]["variety"] == 0.8
    again = tmp_path / "again"
    assert drdm(["replay", str(out / "recipe.json"), "--out", str(again)]) == 0
    assert "same bits" in capsys.readouterr().out
    name = "displacement.nii.gz"
    assert (again / name).read_bytes() == (out / name).read_bytes()
