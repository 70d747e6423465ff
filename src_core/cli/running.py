"""One generation, series or pair, under a bar that shows how far it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from src_core.cli.report import progress

if TYPE_CHECKING:
    from src_core.cases.case import Case
    from src_core.cases.point_set import PointSet
    from src_core.generation import Options, Result, Series
    from src_core.generation.pairs import Pair
    from src_core.generation.series import Motion
    from src_core.models.model import Model

__all__ = ["run_one", "run_pair", "run_series"]


def run_one(
    case: Case, model: Model, options: Options, recorded: Mapping[str, Any] | None = None
) -> Result:
    """A new case, with the pose and intensities of a recipe if one is given."""
    from src_core.generation import Finishing, Result, iterate

    total = 1
    with progress("generating") as advance:
        for value in iterate(case, model, options, recorded=recorded):
            if isinstance(value, Result):
                return value
            if isinstance(value, Finishing):
                advance(total, total, value.what)
                continue
            total = value.total
            steering = f"round {value.round} of {value.rounds}, " if value.rounds > 1 else ""
            advance(value.index, total, f"{steering}level {value.level}")
    raise RuntimeError("generation ended without a result")


def run_series(
    case: Case, model: Model, options: Options, motion: Motion, frames: int | None
) -> Series:
    """A series in time."""
    from src_core.generation import Series
    from src_core.generation.series import series_steps

    with progress("generating") as advance:
        for value in series_steps(case, model, options, motion, frames):
            if isinstance(value, Series):
                return value
            advance(value.index, value.total, f"level {value.level}")
    raise RuntimeError("generation ended without a series")


def run_pair(
    case: Case, model: Model, recipe: Mapping[str, Any], points: Sequence[PointSet] = ()
) -> Pair:
    """The pair of a recipe, with landmarks and surfaces of its source."""
    from src_core.generation.pairs import Pair, options_of, pair_steps

    with progress("pairing") as advance:
        for value in pair_steps(case, model, *options_of(recipe, model), points=points):
            if isinstance(value, Pair):
                return value
            advance(value.index, value.total, "")
    raise RuntimeError("generation ended without a pair")
