"""The verdict on a result in words and one of three grades, from its metrics alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

__all__ = ["Grade", "ResultVerdict", "fit_grade", "fit_line", "fit_warning", "judge"]

#: Green, amber and red.
Grade = Literal["good", "caution", "bad"]

#: Determinants beyond these, and a guard below this one, ask for a look at the result.
_LOW, _HIGH, _GUARD = 0.1, 10.0, 0.95
_FIT_GRADES: Mapping[str, Grade] = {"fits": "good", "doubtful": "caution", "does not fit": "bad"}


@dataclass(frozen=True)
class ResultVerdict:
    """What is proven about a result, and what asks for care.

    Attributes:
        grade: good, caution or bad.
        proof: what the certificate says.
        cautions: one each, none for a good result.
    """

    grade: Grade
    proof: str
    cautions: tuple[str, ...]


def judge(metrics: Mapping[str, Any]) -> ResultVerdict:
    """The verdict on a result, from its metrics."""
    cautions = tuple(_cautions(metrics))
    if not metrics["certified"]:
        permille = metrics["strict_folding_permille"]
        return ResultVerdict("bad", f"{permille:.2f} ‰ of the cells may fold", cautions)
    proof = "no folds (says nothing about plausibility)"
    return ResultVerdict("caution" if cautions else "good", proof, cautions)


def _cautions(metrics: Mapping[str, Any]) -> list[str]:
    found = []
    if metrics["min_det"] < _LOW:
        found.append(f"det J down to {metrics['min_det']:.3f}")
    if metrics.get("max_det", 1.0) > _HIGH:
        found.append(f"det J up to {metrics['max_det']:.1f}")
    if metrics.get("guard_scale", 1.0) < _GUARD:
        found.append(f"the guard left {metrics['guard_scale']:.1%} of the deformation")
    verdict = metrics.get("fit", {}).get("verdict")
    if verdict == "does not fit":
        found.append("the image does not fit the model")
    if not metrics.get("scale", {}).get("fits", True):
        found.append("the image's scale is outside the model's training")
    if verdict == "doubtful":
        found.append("it is doubtful whether the image fits the model")
    return found


def fit_grade(fit: Mapping[str, Any] | None) -> Grade | None:
    """The grade of ``metrics["fit"]``; None where it is unknown."""
    return _FIT_GRADES.get(fit["verdict"]) if fit else None


def fit_warning(metrics: Mapping[str, Any]) -> str:
    """One line where the image is doubtful or does not fit the model, else ''."""
    fit = metrics.get("fit")
    return fit["sentence"] if fit and fit["verdict"] in ("doubtful", "does not fit") else ""


def fit_line(fit: Mapping[str, Any]) -> str:
    """``metrics["fit"]`` in one line: ``fits (0.93): the image looks like ...``."""
    score = "" if fit["score"] is None else f" ({fit['score']:.2f})"
    return f"{fit['verdict']}{score}: {fit['sentence']}"
