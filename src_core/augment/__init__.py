"""A labelled data set, augmented (paper, Algorithm 3), or made into pairs (Algorithm 4).

``make_plan`` lists independent jobs and writes nothing; ``augment`` does them in this
process, in several or on a cluster.
Stop taking its values to cancel; a plan with ``resume`` continues the run.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from src_core.augment.filters import Filters
    from src_core.augment.formats import FORMATS, PAIR_FORMATS, parse_formats
    from src_core.augment.jobs import Doing, Made
    from src_core.augment.levels import parse_distribution, parse_levels
    from src_core.augment.plan import Job, Plan, make_plan
    from src_core.augment.request import Request
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

#: Modules of the names, which are imported when they are used.
_MODULES = {
    "filters": ("Filters",),
    "formats": ("FORMATS", "PAIR_FORMATS", "parse_formats"),
    "jobs": ("Doing", "Made"),
    "levels": ("parse_distribution", "parse_levels"),
    "plan": ("Job", "Plan", "make_plan"),
    "request": ("Request",),
    "run": ("augment", "steps"),
}


def __getattr__(name: str) -> Any:
    for home, names in _MODULES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{home}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
