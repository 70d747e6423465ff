"""Agreement of readers beyond chance: ``kappa = (observed - expected) / (1 - expected)``.

Two readers: Cohen 1960 (doi:10.1177/001316446002000104), weighted for scores, Cohen 1968
(doi:10.1037/h0026256). Several: Fleiss 1971 (doi:10.1037/h0031619).
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from src_core.experiments.statistics import Array

__all__ = ["WeightKind", "agreement_weights", "cohen_kappa", "fleiss_kappa", "joint_counts"]

WeightKind = Literal["equal", "linear", "quadratic"]


def agreement_weights(categories: int, kind: WeightKind) -> Array:
    """How far two answers agree, (Q, Q): 1 on the diagonal, less the further they lie apart.

    ``equal`` counts equal answers alone; ``quadratic`` is 1 - ((i - j) / (Q - 1))^2.
    """
    apart = np.abs(np.subtract.outer(np.arange(categories), np.arange(categories)))
    if kind == "equal":
        return np.asarray(apart == 0, dtype=np.float64)
    return np.asarray(1 - (apart / (categories - 1)) ** (1 if kind == "linear" else 2))


def joint_counts(
    first: NDArray[np.intp], second: NDArray[np.intp], categories: int, weights: Array
) -> Array:
    """How often two readers gave each two answers: (R, Q, Q).

    Args:
        first, second: answers to the same items, (N,), 0 to Q - 1.
        categories: Q.
        weights: how often each item counts, (R, N).
    """
    cells = np.eye(categories * categories)[first * categories + second]
    return np.asarray(weights @ cells).reshape(len(weights), categories, categories)


def cohen_kappa(counts: Array, weights: Array) -> Array:
    """Kappa of two readers; NaN where chance alone would agree everywhere.

    Args:
        counts: how often each two answers were given, (..., Q, Q).
        weights: of ``agreement_weights``, (Q, Q).
    """
    share = counts / counts.sum(axis=(-2, -1), keepdims=True)
    rows, columns = share.sum(axis=-1), share.sum(axis=-2)
    observed = (share * weights).sum(axis=(-2, -1))
    expected = np.einsum("...i,ij,...j->...", rows, weights, columns)
    return _beyond_chance(observed, expected)


def fleiss_kappa(counts: Array, weights: Array) -> Array:
    """Kappa of M readers who all answered all items: (R,).

    Args:
        counts: how many readers gave each answer to each item, (N, Q); rows sum to M of 2 or more.
        weights: how often each item counts, (R, N).
    """
    readers = counts[0].sum()
    alike = (np.square(counts).sum(axis=1) - readers) / (readers * (readers - 1))
    total = weights.sum(axis=1)
    observed = weights @ alike / total
    shares = weights @ counts / (total * readers)[:, None]
    return _beyond_chance(observed, np.square(shares).sum(axis=1))


def _beyond_chance(observed: Array, expected: Array) -> Array:
    room = 1 - expected
    possible = room > 1e-12
    return np.asarray(
        np.where(possible, (observed - expected) / np.where(possible, room, 1), np.nan)
    )
