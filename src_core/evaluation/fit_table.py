"""How well a model tells images that fit it from others: AUROC and rates at its own thresholds.

A CSV lists images with the columns ``image``, ``kind`` and ``fits`` (yes, no, or neither); each is
looked at as a generation looks at it.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from src_core.errors import DRDMError, InputError
from src_core.experiments.records import StageProgress
from src_core.generation import Session
from src_core.io import read_case
from src_core.models.image_fit import DOUBTFUL_BELOW, MISFIT_BELOW
from src_core.models.model import Model

__all__ = ["KindOfImage", "auroc", "fit_report", "measure_kinds", "read_kinds"]

_COLUMNS = ("image", "kind", "fits")


@dataclass
class KindOfImage:
    """Images of one kind and their scores.

    Attributes:
        name: of the kind.
        fits: yes, no, or neither.
        images: their files.
        scores: 0 to 1, of those that could be read.
        refused: how many a generation refuses, so that they have no score.
    """

    name: str
    fits: str
    images: list[Path]
    scores: list[float]
    refused: int = 0


def read_kinds(path: Path) -> list[KindOfImage]:
    """The kinds of a CSV, in its order; paths start where it lies.

    Raises:
        InputError: no such file, or a column is missing.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
    except OSError as error:
        raise InputError("the file cannot be read", where=str(path), expected="a CSV") from error
    kinds: dict[str, KindOfImage] = {}
    for row in rows:
        if any(not row.get(column) for column in _COLUMNS):
            raise InputError(
                "a row is incomplete", where=str(path), expected=f"columns {', '.join(_COLUMNS)}"
            )
        kind = kinds.setdefault(row["kind"], KindOfImage(row["kind"], row["fits"], [], []))
        kind.images.append(path.parent / row["image"])
    if not any(kind.fits == "yes" for kind in kinds.values()):
        raise InputError("no image is to fit", where=str(path), expected="rows with fits = yes")
    return list(kinds.values())


def measure_kinds(model: Model, kinds: Sequence[KindOfImage]) -> Iterator[StageProgress]:
    """Look at every image; fills the scores.

    Raises:
        InputError: the model's file has no statistics.
    """
    if model.statistics is None:
        raise InputError(
            f"{model.spec.name} has no statistics of its training images", where=model.file
        )
    total, done = sum(len(kind.images) for kind in kinds), 0
    for kind in kinds:
        for image in kind.images:
            try:
                score = Session(read_case(image), model).fit.score
            except DRDMError:
                score = None
            kind.refused += score is None
            kind.scores += [] if score is None else [score]
            done += 1
            yield StageProgress("images", done, total, kind.name)


def fit_report(kinds: Sequence[KindOfImage]) -> list[dict[str, Any]]:
    """One row a kind: scores, AUROC against each kind that fits, and the shares of verdicts."""
    fitting = {kind.name: kind.scores for kind in kinds if kind.fits == "yes"}
    rows = []
    for kind in kinds:
        scores = np.array(kind.scores)
        rows.append(
            {
                "kind": kind.name,
                "fits": kind.fits,
                "images": len(scores),
                "refused": kind.refused,
                "auroc": {name: auroc(known, kind.scores) for name, known in fitting.items()}
                if kind.fits == "no"
                else {},
                "doubtful_or_worse": _share(scores < DOUBTFUL_BELOW),
                "does_not_fit": _share(scores < MISFIT_BELOW),
                "median_score": float(np.median(scores)) if len(scores) else None,
                "scores": [round(score, 4) for score in kind.scores],
            }
        )
    return rows


def auroc(fitting: Sequence[float], others: Sequence[float]) -> float | None:
    """The probability that an image that fits has the larger score; ties count half."""
    if not fitting or not others:
        return None
    known, other = np.array(fitting)[:, None], np.array(others)[None]
    return float(((known > other) + 0.5 * (known == other)).mean())


def _share(chosen: np.ndarray) -> float | None:
    return float(chosen.mean()) if chosen.size else None
