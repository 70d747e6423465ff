"""The level that moves a case by a given distance."""

from __future__ import annotations

import torch

from src_core.cases.case import Case
from src_core.errors import InputError
from src_core.generation.metrics import displacement_metrics
from src_core.generation.options import Options
from src_core.generation.session import Session
from src_core.models.model import Model

__all__ = ["level_for"]


def level_for(case: Case, model: Model, max_mm: float, options: Options) -> int:
    """The strongest level, by bisection, whose recovered field moves nothing by more than max_mm.

    Raises:
        InputError: max_mm is not positive.
    """
    if not max_mm > 0:
        raise InputError(f"{max_mm} mm is no distance", option="max_mm", expected="more than 0")
    session = Session(case, model, options.slices, options.region, options.guide)
    low, high = 0, model.spec.schedule.levels
    while low < high:
        middle = (low + high + 1) // 2
        if _largest(session, options.model_copy(update={"level": middle})) <= max_mm:
            low = middle
        else:
            high = middle - 1
    return low


def _largest(session: Session, options: Options) -> float:
    """Largest displacement of a generation in mm, before the guard."""
    ends = session.ends(options)
    field = session.view.field(torch.cat([end.displacement for end in ends]))
    return displacement_metrics(field, 1.0)["max_mm"]
