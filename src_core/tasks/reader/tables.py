"""What readers answered, in rows: accuracy or scores for each kind, and agreement.

Intervals of one reader are exact, or Wilson's. Those over readers and of scores, areas and kappas
are bootstraps over questions: they hold for these readers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from math import nan
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from src_core.experiments.statistics import (
    Array,
    interval,
    resampled_weights,
)
from src_core.tasks.reader.agreement import (
    agreement_weights,
    cohen_kappa,
    fleiss_kappa,
    joint_counts,
)
from src_core.tasks.reader.all_answers import AllAnswers
from src_core.tasks.reader.answers import Answer
from src_core.tasks.reader.options import KINDS, REAL
from src_core.tasks.reader.statistics import (
    IntervalKind,
    area_under_curve,
    chance_p,
    proportion_interval,
)

__all__ = ["ALL", "accuracy_rows", "agreement_rows", "score_rows"]

#: The row over all readers, or all kinds.
ALL = "all"
_RESAMPLES = 2000
#: The lowest score that counts as "judged real".
_JUDGED_REAL = 4


def accuracy_rows(answered: AllAnswers, kind: IntervalKind = "exact") -> list[dict[str, Any]]:
    """Of pairs: how often each reader found the real image, for each kind and all of them."""
    rows = []
    for subject in _kinds(answered):
        for reader in answered.readers:
            given = answered.of_kind(reader, subject)
            rows.append(_accuracy(answered, reader, subject, given, kind))
        if len(answered.readers) > 1:
            rows.append(_accuracy_of_all(answered, subject))
    return rows


def score_rows(answered: AllAnswers, kind: IntervalKind = "exact") -> list[dict[str, Any]]:
    """Of scores: mean, part judged real, and how well real images are told from each kind."""
    rows = []
    for subject in _kinds(answered):
        for reader in answered.readers:
            rows.append(_scores(answered, (reader,), subject, kind))
        if len(answered.readers) > 1:
            rows.append(_scores(answered, answered.readers, subject, None))
    return rows


def agreement_rows(answered: AllAnswers) -> list[dict[str, Any]]:
    """Agreement of every two readers, and of all where they are more.

    Of two, Cohen's kappa: for pairs of which picture is real, for scores with quadratic weights.
    Of more, Fleiss' kappa, which counts equal answers alone.
    """
    rows = []
    for pair in combinations(answered.readers, 2):
        codes = answered.codes(pair)
        if not codes.shape[1]:
            continue
        score = answered.plan.mode == "score"
        closeness = agreement_weights(answered.categories, "quadratic" if score else "equal")
        weights = _weights(codes.shape[1])
        counts = joint_counts(codes[0], codes[1], answered.categories, weights)
        measure = "Cohen, quadratic weights" if score else "Cohen"
        rows.append(_agreement(pair, measure, codes, cohen_kappa(counts, closeness)))
    if len(answered.readers) > 2:
        codes = answered.codes(answered.readers)
        if codes.shape[1]:
            counts = np.eye(answered.categories)[codes].sum(axis=0)
            kappas = fleiss_kappa(counts, _weights(codes.shape[1]))
            rows.append(_agreement((ALL,), "Fleiss", codes, kappas))
    return rows


def _kinds(answered: AllAnswers) -> Iterator[str]:
    """Kinds that were asked about, and all where there are several pairs of kinds."""
    found = dict.fromkeys(answered.kinds.values())
    yield from (kind for kind in KINDS if kind in found)
    if answered.plan.mode == "choice" and len(found) > 1:
        yield ""


def _accuracy(
    answered: AllAnswers, reader: str, subject: str, given: Sequence[Answer], kind: IntervalKind
) -> dict[str, Any]:
    right, total = answered.correct(given), len(given)
    low, high = proportion_interval(right, total, kind)
    return {
        "reader": reader,
        "kind": subject or ALL,
        "questions": total,
        "correct": right,
        "accuracy": right / total if total else nan,
        "low": low,
        "high": high,
        "p": chance_p(right, total),
        "seconds": _seconds(given),
    }


def _accuracy_of_all(answered: AllAnswers, subject: str) -> dict[str, Any]:
    """The mean over all answers, with a bootstrap over questions: readers share these."""
    given = [a for reader in answered.readers for a in answered.of_kind(reader, subject)]
    right = np.array([a.answer == answered.real[a.item] for a in given], dtype=np.float64)
    low, high = _bootstrap(right, [a.item for a in given])
    return {
        "reader": ALL,
        "kind": subject or ALL,
        "questions": len(given),
        "correct": int(right.sum()),
        "accuracy": float(right.mean()) if len(right) else nan,
        "low": low,
        "high": high,
        "p": nan,
        "seconds": _seconds(given),
    }


def _scores(
    answered: AllAnswers, readers: Sequence[str], subject: str, kind: IntervalKind | None
) -> dict[str, Any]:
    given = [a for reader in readers for a in answered.of_kind(reader, subject)]
    scores = np.array([float(a.answer) for a in given])
    items = [a.item for a in given]
    low, high = _bootstrap(scores, items)
    judged = scores >= _JUDGED_REAL
    ends = (
        _bootstrap(judged.astype(np.float64), items)
        if kind is None
        else proportion_interval(int(judged.sum()), len(judged), kind)
    )
    area = (nan, nan, nan) if subject == REAL else _area(answered, readers, given)
    return {
        "reader": readers[0] if len(readers) == 1 else ALL,
        "kind": subject,
        "images": len(given),
        "score": float(scores.mean()) if len(scores) else nan,
        "low": low,
        "high": high,
        "judged_real": float(judged.mean()) if len(judged) else nan,
        "judged_low": ends[0],
        "judged_high": ends[1],
        "area": area[0],
        "area_low": area[1],
        "area_high": area[2],
        "seconds": _seconds(given),
    }


def _area(
    answered: AllAnswers, readers: Sequence[str], given: Sequence[Answer]
) -> tuple[float, float, float]:
    """Area under the curve of real against these, the mean of the readers' own, and its ends."""
    areas, resampled = [], []
    for reader in readers:
        real = answered.of_kind(reader, REAL)
        other = [a for a in given if a.reader == reader]
        if not real or not other:
            continue
        scores = [np.array([float(a.answer) for a in some]) for some in (real, other)]
        ones = [np.ones((1, len(s))) for s in scores]
        drawn = _weights(len(real), 1), _weights(len(other), 2)
        areas.append(area_under_curve(scores[0], scores[1], (ones[0], ones[1])))
        resampled.append(area_under_curve(scores[0], scores[1], drawn))
    if not areas:
        return nan, nan, nan
    low, high = interval(np.mean(resampled, axis=0)[1:])
    return float(np.mean(areas)), low, high


def _agreement(
    readers: tuple[str, ...], measure: str, codes: NDArray[np.intp], kappas: Array
) -> dict[str, Any]:
    """A row; the first of the kappas is that of the questions as they are."""
    low, high = interval(kappas[1:])
    same = (codes == codes[0]).all(axis=0)
    return {
        "readers": " and ".join(readers),
        "measure": measure,
        "questions": int(codes.shape[1]),
        "same": float(same.mean()) if same.size else nan,
        "kappa": float(kappas[0]),
        "low": low,
        "high": high,
    }


def _bootstrap(values: Array, items: Sequence[str]) -> tuple[float, float]:
    """Ends of the mean over answers, when questions are drawn with replacement."""
    if not len(values):
        return nan, nan
    names, which = np.unique(np.asarray(items), return_inverse=True)
    sums, counts = np.bincount(which, values), np.bincount(which)
    drawn = _weights(len(names))[1:]
    return interval(np.asarray(drawn @ sums / (drawn @ counts)))


def _weights(count: int, seed: int = 0) -> Array:
    """How often each question counts: all once, then resamples of them (1 + R, N)."""
    drawn = resampled_weights([f"{n:06d}" for n in range(count)], _RESAMPLES, seed)
    return np.concatenate([np.ones((1, count)), drawn])


def _seconds(answers: Sequence[Answer]) -> float:
    return median(a.seconds for a in answers) if answers else nan
