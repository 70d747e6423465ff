"""The verdict on a result: grades and words by its metrics."""

from __future__ import annotations

from typing import Any

import pytest

from src_core.generation.verdict import fit_grade, fit_line, fit_warning, judge
from src_core.models.image_fit import ImageFit, Verdict

GOOD = {"certified": True, "min_det": 0.4, "max_det": 3.0, "guard_scale": 1.0,
        "strict_folding_permille": 0.0}  # fmt: skip


def fit(verdict: Verdict, score: float | None = 0.3) -> dict[str, Any]:
    return {"fit": ImageFit(verdict, score, 1.0, "small").facts()}


def test_a_good_result_has_no_folds_and_no_cautions() -> None:
    found = judge(GOOD | fit("fits", 0.9))
    assert (found.grade, found.cautions) == ("good", ())
    assert found.proof == "no folds (says nothing about plausibility)"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"min_det": 0.016}, "det J down to 0.016"),
        ({"max_det": 12.34}, "det J up to 12.3"),
        ({"guard_scale": 0.9}, "the guard left 90.0% of the deformation"),
        (fit("does not fit"), "does not fit the model"),
        (fit("doubtful"), "doubtful"),
    ],
)
def test_what_asks_for_care_is_amber(change: dict[str, Any], words: str) -> None:
    found = judge(GOOD | change)
    assert found.grade == "caution" and len(found.cautions) == 1 and words in found.cautions[0]


def test_folds_are_red_whatever_else() -> None:
    found = judge(GOOD | {"certified": False, "strict_folding_permille": 1.5})
    assert (found.grade, found.proof) == ("bad", "1.50 ‰ of the cells may fold")


def test_words_of_a_fit() -> None:
    for fine in (GOOD, fit("fits", 0.9), fit("unknown", None)):
        assert fit_warning(fine) == ""
    misfit = fit("does not fit", 0.051)
    assert fit_line(misfit["fit"]).startswith("does not fit (0.05): the image is unlike")
    assert fit_warning(misfit).startswith("the image is unlike the images that small was trained")
    assert fit_line(fit("unknown", None)["fit"]).startswith("unknown: ")
    assert fit_grade(fit("doubtful")["fit"]) == "caution" and fit_grade(None) is None
