"""Precision and recall of generated samples against real ones by nearest neighbours.

Each set's manifold is the union of balls about its samples that reach the k-th nearest of the same
set; precision is the share of generated samples inside that of the real ones, recall the share of
real ones inside that of the generated (Kynkaanniemi et al., 2019, arXiv:1904.06991).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import nan

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

__all__ = ["NEIGHBOURS", "precision_recall"]

NEIGHBOURS = 3
Array = NDArray[np.float64]


def precision_recall(
    real: Array,
    made: Array,
    real_subjects: Sequence[str],
    made_subjects: Sequence[str],
    k: int = NEIGHBOURS,
) -> tuple[float, float]:
    """Precision and recall, without comparing any subject with itself.

    The ball about a real sample reaches its k-th neighbour of another subject, and a generated
    sample counts as inside, or covers a real one, only where their subjects differ. A generated
    sample with a NaN (a lost label) is outside everything.

    Args:
        real: (n, d), finite.
        made: (m, d).
        real_subjects: of each real sample.
        made_subjects: of each generated sample: that of its source.
        k: which neighbour a ball reaches.

    Returns:
        NaN for both where a set has fewer than k + 1 samples, or real ones too few subjects.
    """
    people, sources = np.asarray(real_subjects), np.asarray(made_subjects)
    if min(len(real), len(made)) <= k or len(np.unique(people)) <= k:
        return nan, nan
    apart = cdist(real, made)
    apart[people[:, None] == sources] = np.inf
    among = cdist(real, real)
    among[people[:, None] == people] = np.inf
    near = np.sort(among, axis=1)[:, k - 1]
    known = np.isfinite(made).all(axis=1)
    precision = (known & (np.nan_to_num(apart, nan=np.inf) <= near[:, None]).any(axis=0)).mean()
    kept = made[known]
    if len(kept) <= k:
        return float(precision), 0.0
    reach = np.sort(cdist(kept, kept), axis=1)[:, k]
    recall = (apart[:, known] <= reach).any(axis=1).mean()
    return float(precision), float(recall)
