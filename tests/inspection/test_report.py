"""The page on a result: its pictures, numbers, recipe and card; names are only text."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from src_core.cases.case import Case
from src_core.drawing.maps import JACOBIAN_SENTENCE
from src_core.generation import Result, generate
from src_core.inspection.label_table import change_text, label_rows
from src_core.inspection.options import PlaneOptions
from src_core.inspection.report import save_report
from src_core.models.library import load_model
from tests.support import tiny
from tests.support.pages import PageContent, content_of

NAME = "<script>alert(1)</script> & co"
CARD = {"card": {"licence": "CC0 <b>1.0</b>", "title": "small"}}


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Result:
    file = tiny.save(tmp_path_factory.mktemp("model"), **CARD)
    case = replace(tiny.case(), name=NAME)
    return generate(case, load_model(file, "cpu"), level=30, seed=2, steps=2)


@pytest.fixture(scope="module")
def page(result: Result, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("page") / "a.html"
    names = {1: "<i>wall</i>"}
    return save_report(result, path, names=names, changed=("image",)).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def found(page: str) -> PageContent:
    return content_of(page)


def test_the_page_stands_alone_and_names_are_text(found: PageContent) -> None:
    assert found.outside == [] and not {"script", "i", "link", "iframe"} & set(found.tags)
    assert f"{NAME}: level 30, seed 2" in found.words and "<i>wall</i>" in found.words
    assert len(found.pictures) == 1 and found.pictures[0].size[0] == 1920


def test_the_page_says_what_was_made_and_how(found: PageContent, result: Result) -> None:
    m = result.metrics
    for words in (
        "Synthetic, for research only", f"{m['max_mm']:.2f} mm", f"{m['min_det']:.3f}",
        "no folds (says nothing about plausibility)", JACOBIAN_SENTENCE, "CC0 <b>1.0</b>",
        "Changed since the result was made: image", f"{m['label_volume_change']['1']:+.0f} %"
    ):  # fmt: skip
        assert words.replace("-", "−") in found.words.replace("-", "−")
    recipe = "".join(found.text[found.text.index(next(t for t in found.text if '"recipe"' in t)) :])
    assert json.loads(recipe[recipe.index("{") : recipe.rindex("}") + 1]) == result.recipe


def test_the_jacobian_is_blue_where_tissue_grew_and_red_where_it_shrank(
    result: Result, tmp_path: Path
) -> None:
    half = np.full_like(result.jacobian, 0.5)
    half[result.jacobian.shape[0] // 2 :] = 2.0
    shown = replace(result, jacobian=half)
    page = save_report(shown, tmp_path / "a.html", PlaneOptions(crop="none"))
    picture = np.asarray(content_of(page.read_text(encoding="utf-8")).pictures[0].convert("RGB"))
    quarter = picture[picture.shape[0] // 2 :, picture.shape[1] // 2 :].astype(int)
    red, blue = (quarter[..., a] - quarter[..., 2 - a] > 60 for a in (0, 2))
    columns = [np.argwhere(mask)[:, 1] for mask in (blue, red)]
    # x grows to the patient's right, which is on the left
    assert min(map(len, columns)) > 10_000
    assert np.median(columns[1]) < np.median(columns[0])


def test_sizes_of_a_single_slice_are_areas(result: Result) -> None:
    case = tiny.case((52, 60, 1))
    metrics = {"label_volume_ml": {"1": [0.8, 0.4]}, "label_volume_change": {"1": -50.0}}
    words = content_of(label_rows(case, metrics, {}, {})).words
    assert words == "label source new change label 1 100 mm² 50 mm² −50 %"
    bare = Case.from_arrays(case.image, case.label_map)
    words = content_of(label_rows(bare, metrics, {}, {})).words
    assert "800 px²" in words and "400 px²" in words
    assert [change_text(x) for x in (-0.2, 0.2, 12.4, -3.0)] == ["0", "0", "+12", "−3"]
