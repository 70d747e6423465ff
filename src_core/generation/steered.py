"""A recovery that reaches targets: rounds of the search, each a recovery, then what is left."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from src_core.diffusion.random_field import Draws
from src_core.errors import InputError
from src_core.fields.saved import SavedField
from src_core.fields.warp_case import warped_labels
from src_core.generation.model_view import ModelView
from src_core.generation.options import Options
from src_core.generation.recovery import RecoveryStep
from src_core.generation.steered_part import SlabDelivery, steered_part
from src_core.models.model import ModelSpec
from src_core.steering.kinds import StillTarget
from src_core.steering.outcome import TargetOutcome
from src_core.steering.parts import Delivered
from src_core.steering.prior import Prior
from src_core.steering.search import DrawSearch, SteeringCosts, TargetSearch
from src_core.steering.table import check_targets, goals_of

__all__ = ["check_steering", "outcomes", "slab_search", "steered_steps", "steering_metrics"]


def check_steering(view: ModelView, spec: ModelSpec, options: Options) -> None:
    """Refuse targets that this case cannot have.

    Raises:
        InputError: names the target.
    """
    if options.targets and not options.level:
        raise InputError(
            "nothing can be reached at level 0", option="targets", do="choose a level above 0"
        )
    check_targets(options.targets, steered_part(view, spec.state))


def slab_search(
    view: ModelView, spec: ModelSpec, options: Options, slab: int, draws: Draws, fade: Tensor | None
) -> TargetSearch | None:
    """The search of one slab; None where nothing is asked of it."""
    part = steered_part(view, spec.state, slab)
    whole = None if view.shared else steered_part(view, spec.state)
    goals = [
        g for g in goals_of(options.targets, part, whole) if not isinstance(g.target, StillTarget)
    ]
    if not goals:
        return None
    prior = Prior(spec.random_field, spec.schedule.tau(options.level), draws)
    deliver = SlabDelivery(view, slab, options.label_interpolation)
    return TargetSearch(part, goals, deliver, prior, spec.size, fade)


def steered_steps(
    search: TargetSearch, draws: Draws, recover: Callable[[Draws], Iterator[RecoveryStep]]
) -> Iterator[RecoveryStep]:
    """The steps of every round's recovery; the last one has what was left, too.

    Args:
        search: of the slab.
        draws: the seed's.
        recover: the steps of the recovery from draws.
    """
    state = DrawSearch(search, draws)
    while True:
        last = yield from _all_but_last(recover(state.draws))
        with torch.inference_mode():
            again = state.advance(last.displacement)
        if not again:
            break
        yield last
    with torch.inference_mode():
        flow, u, finishing = search.finished(last.flow, last.displacement)
    yield replace(last, flow=flow, displacement=u, costs=state.costs(finishing))


def outcomes(
    view: ModelView, spec: ModelSpec, options: Options, saved: SavedField
) -> tuple[TargetOutcome, ...]:
    """What became of all targets in the case under its saved field, without a pose."""
    if not options.targets:
        return ()
    whole, labels = steered_part(view, spec.state), None
    if whole.labels is not None:
        mode = options.label_interpolation
        labels = warped_labels(view.case.labels[0], saved.grid, saved.field, mode)
    after = Delivered(labels, saved.field)
    return tuple(goal.outcome(after) for goal in goals_of(options.targets, whole))


def steering_metrics(
    reached: Sequence[TargetOutcome], costs: Sequence[SteeringCosts]
) -> dict[str, Any]:
    """What targets add to metrics; nothing without any. Of several slabs, the largest costs."""
    if not reached:
        return {}
    found: dict[str, Any] = {"targets": [outcome.facts() for outcome in reached]}
    if costs:
        names = ("rounds", "draws_rms", "distance", "finishing_rms")
        found["steering"] = {n: max(getattr(c, n) for c in costs) for n in names}
    return found


def _all_but_last(
    steps: Iterator[RecoveryStep],
) -> Generator[RecoveryStep, None, RecoveryStep]:
    held: RecoveryStep | None = None
    for step in steps:
        if held is not None:
            yield held
        held = step
    assert held is not None
    return held
