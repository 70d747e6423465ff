"""A labelled data set, augmented (paper, Algorithm 3), or made into pairs (Algorithm 4).

``make_plan`` lists independent jobs and writes nothing; ``augment`` does them, here, on several
processes or on a cluster.
Stop taking its values to cancel; a plan with ``resume`` goes on.
"""

from __future__ import annotations

from src_core.augment.filters import Filters
from src_core.augment.jobs import Doing, Made
from src_core.augment.levels import parse_distribution, parse_levels
from src_core.augment.plan import Job, Plan, make_plan
from src_core.augment.request import FORMATS, PAIR_FORMATS, Request, parse_formats
from src_core.augment.run import augment, steps

__all__ = [
    "FORMATS",
    "PAIR_FORMATS",
    "Doing",
    "Filters",
    "Job",
    "Made",
    "Plan",
    "Request",
    "augment",
    "make_plan",
    "parse_distribution",
    "parse_formats",
    "parse_levels",
    "steps",
]
