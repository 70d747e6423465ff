"""A labelled data set, augmented (paper, Algorithm 3): every case at many levels and seeds.

``make_plan`` lists independent jobs and writes nothing; ``augment`` does them one after the other.
Stop taking its values to cancel; a plan with ``resume`` goes on.
"""

from __future__ import annotations

from src_core.augment.plan import Job, Plan, make_plan
from src_core.augment.request import FORMATS, Request, parse_formats, parse_levels
from src_core.augment.run import Doing, Made, augment, run_job, steps

__all__ = [
    "FORMATS",
    "Doing",
    "Job",
    "Made",
    "Plan",
    "Request",
    "augment",
    "make_plan",
    "parse_formats",
    "parse_levels",
    "run_job",
    "steps",
]
