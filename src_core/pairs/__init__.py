"""Registration pairs (paper, Algorithm 4): two images of one subject and the field between them.

``make_pair`` makes one of a case; ``make_plan`` and ``make_pairs`` make many of a data set.
"""

from __future__ import annotations

from src_core.pairs.pair import Pair, Progress, composed, make_pair, pair_steps, save_pair
from src_core.pairs.plan import Job, PairsPlan, PairsRequest, make_plan
from src_core.pairs.run import make_pairs, steps
from src_core.pairs.work import Doing, Made

__all__ = [
    "Doing",
    "Job",
    "Made",
    "Pair",
    "PairsPlan",
    "PairsRequest",
    "Progress",
    "composed",
    "make_pair",
    "make_pairs",
    "make_plan",
    "pair_steps",
    "save_pair",
    "steps",
]
