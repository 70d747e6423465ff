"""The level that moves a case by so many millimetres."""

from __future__ import annotations

from src_core.cases.case import Case
from src_core.errors import InputError
from src_core.fields.planes import Field
from src_core.generation.metrics import displacement_metrics
from src_core.generation.options import Options
from src_core.generation.run import iterate
from src_core.generation.session import Step
from src_core.models.model import Model

__all__ = ["level_for"]


def level_for(case: Case, model: Model, max_mm: float, options: Options) -> int:
    """The strongest level, by bisection, whose recovered field moves nothing by more than max_mm.

    Raises:
        InputError: max_mm is not positive.
    """
    if not max_mm > 0:
        raise InputError(f"{max_mm} mm is no distance", option="max_mm", expected="more than 0")
    low, high = 0, model.spec.schedule.levels
    while low < high:
        middle = (low + high + 1) // 2
        if _largest(case, model, options.model_copy(update={"level": middle})) <= max_mm:
            low = middle
        else:
            high = middle - 1
    return low


def _largest(case: Case, model: Model, options: Options) -> float:
    """Largest displacement in mm over the units of a generation, before the guard."""
    largest = 0.0
    for step in iterate(case, model, options):
        if isinstance(step, Step) and step.recovery.index == step.recovery.total:
            field: Field = step.displacement()
            largest = max(largest, displacement_metrics(field, 1.0)["max_mm"])
            if step.unit == step.frame.units - 1:
                break
    return largest
