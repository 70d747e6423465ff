"""One new case (Algorithm 2): random field, recovery, guard, and one warp of the original."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from src_core.cases.case import Case
from src_core.cases.point_set import PointSet
from src_core.cases.synthetic import SYNTHETIC, mark_synthetic
from src_core.diffusion.guard import Guarded
from src_core.fields import jacobian_determinant
from src_core.fields.inverse_of_saved import invert_field
from src_core.fields.measures import measure_field
from src_core.fields.planes import Field, lps_field
from src_core.fields.warp_case import warp_case
from src_core.generation.drawn_case import DrawnChanges, draw_changes, recorded_changes
from src_core.generation.intensity_changes import change_case
from src_core.generation.label_figures import LabelFigures, label_figures
from src_core.generation.metrics import measure
from src_core.generation.model_view import ModelView
from src_core.generation.options import Options, make_options
from src_core.generation.proof import guarded
from src_core.generation.recipe import make_recipe
from src_core.generation.recovery import RecoveryStep
from src_core.generation.scale import scale_metrics
from src_core.generation.session import Session, Step, threaded
from src_core.generation.steered import outcomes, steering_metrics
from src_core.models.device import fixed_threads
from src_core.models.model import Model
from src_core.steering.outcome import TargetOutcome
from src_core.steering.search import SteeringCosts

__all__ = [
    "Finishing",
    "Result",
    "determinant",
    "finish",
    "generate",
    "iterate",
    "recover",
]


@dataclass(frozen=True, eq=False)
class Finishing:
    """The recovery is finished, and ``what`` is about to be computed.

    Attributes:
        case: warped images and labels, as the result will have them, from ``inverse`` on.
        displacement: their field.
    """

    what: Literal["guard", "warp", "inverse", "proof"]
    case: Case | None = None
    displacement: Field | None = None


@dataclass(frozen=True, eq=False, repr=False)
class Result:
    """A generated case.

    Attributes:
        source: the case it was made from.
        case: warped images and labels, with the types and headers of the source's.
        displacement: (X, Y, Z, 3), float32, LPS mm: new(x) = source(x + displacement(x)), with
            the pose where one was drawn.
        inverse: the same for the inverse map.
        jacobian: (X, Y, Z), float32, determinant by central differences; the sign of a flip is
            left out.
        metrics: the numbers of ``metrics.json``; those of the displacement are the deformation's,
            without the pose.
        recipe: everything needed to make the same result again.
        targets: what became of each target, in their order.
        points: landmarks and surfaces of the source, moved, by the names of their files.
    """

    source: Case
    case: Case
    displacement: Field
    inverse: Field
    jacobian: np.ndarray
    metrics: dict[str, Any]
    recipe: dict[str, Any]
    targets: tuple[TargetOutcome, ...] = ()
    points: Mapping[str, PointSet] = field(default_factory=dict)

    @cached_property
    def label_figures(self) -> tuple[LabelFigures, ...]:
        """Size, displacement and shape of every label, measured when first asked for."""
        return label_figures(self.source, self.case, self.displacement, self.jacobian)

    def __repr__(self) -> str:
        m = self.metrics
        return f"Result(level {m['level']}, seed {m['seed']}, {m['model']}, {self.case!r})"


def generate(case: Case, model: Model, **options: Any) -> Result:
    """One new case; options are those of ``Options``.

    Raises:
        InputError: an option is out of range, or case and model do not fit.
    """
    *_, last = iterate(case, model, make_options(model.spec.schedule.levels, **options))
    assert isinstance(last, Result)
    return last


def recover(case: Case, model: Model, **options: Any) -> Iterator[Step]:
    """The steps of a generation alone: nothing is guarded, warped, inverted or certified.

    Raises:
        InputError: an option is out of range, or case and model do not fit.
    """
    chosen = make_options(model.spec.schedule.levels, **options)
    session = Session(case, model, chosen.slices, chosen.region, chosen.guide)
    session.check(chosen)
    return session.steps(chosen)


def iterate(
    case: Case,
    model: Model,
    options: Options,
    *,
    recorded: Mapping[str, Any] | None = None,
    session: Session | None = None,
) -> Iterator[Step | Finishing | Result]:
    """Each step once it is computed, then the result; stop iterating to cancel.

    Args:
        case: what is deformed.
        model: the model that recovers.
        options: of the generation.
        recorded: a recipe whose pose and intensities are taken instead of drawn.
        session: of this case and model with these slices and region, from an earlier call.
    """
    started = time.perf_counter()
    options = make_options(model.spec.schedule.levels, **options.model_dump())
    session = session or Session(case, model, options.slices, options.region, options.guide)
    ends = yield from session.steps(options)
    for value in finish(session, options, ends, recorded):
        if isinstance(value, Result):
            seconds = time.perf_counter() - started
            value = replace(value, metrics={**value.metrics, "seconds": seconds})
        yield value


def finish(
    session: Session,
    options: Options,
    ends: Sequence[RecoveryStep],
    recorded: Mapping[str, Any] | None = None,
) -> Iterator[Finishing | Result]:
    """Guard, warp, invert and certify the last steps of a session, one for each slab.

    ``recorded`` is a recipe whose pose and intensities are taken instead of drawn.

    Raises:
        InputError: options that do not fit the model.
    """
    session.check(options)
    kept = []
    for end in ends:
        yield Finishing("guard")
        with fixed_threads():
            kept.append(guarded(session.view, end.flow, options.allow_folds, end.displacement))
    case, axis = session.case, session.view.axis
    drawn = draw_changes(options, case, axis)
    if recorded is not None:
        drawn = recorded_changes(recorded, case, axis)
    costs = [end.costs for end in ends if end.costs is not None]
    yield from threaded(_finished(session, options, kept, drawn, costs))


@torch.inference_mode()
def _finished(
    session: Session,
    options: Options,
    kept: list[Guarded],
    drawn: DrawnChanges,
    costs: Sequence[SteeringCosts] = (),
) -> Iterator[Finishing | Result]:
    view, model, case = session.view, session.model, session.case
    yield Finishing("warp")
    own = _field(view, kept)
    saved = view.saved(own)
    whole = drawn.field(saved)
    warped = case
    if kept or drawn.pose is not None:
        warped = warp_case(
            case, whole, interpolation=options.interpolation, labels=options.label_interpolation
        )
    warped = change_case(warped, drawn.intensities, view.axis)
    if warped is not case:  # level 0 is the image itself
        warped = mark_synthetic(warped)
    yield Finishing("inverse", warped, whole)
    backward = invert_field(saved)
    inverse = drawn.inverse(backward.displacement)
    yield Finishing("proof", warped, whole)
    scale = float(np.mean([g.scale for g in kept])) if kept else 1.0
    found = measure_field(saved)
    jacobian = drawn.jacobian(whole, found.jacobian)
    metrics = measure(view, own, found, backward, warped, scale, jacobian)
    metrics |= drawn.metrics(metrics, case, inverse)
    metrics |= {
        "level": options.level,
        "seed": options.seed,
        "steps": session.step_count(options),
        "model": model.spec.name,
        "device": str(model.device),
    }
    if options.level:
        metrics["fit"] = session.fit.facts()
        metrics |= scale_metrics(case, model.spec)
    reached = outcomes(view, model.spec, options, saved)
    metrics |= steering_metrics(reached, costs)
    metrics |= {"notice": SYNTHETIC} if warped is not case else {}
    outputs = {"displacement": whole, "inverse": inverse, "jacobian": jacobian}
    steps = session.step_count(options)
    recipe = make_recipe(case, warped, model, options, steps, outputs, drawn.facts())
    yield Result(case, warped, whole, inverse, jacobian, metrics, recipe, reached)


def _field(view: ModelView, kept: list[Guarded]) -> Field:
    """The deformation's field; zero at level 0."""
    if kept:
        return view.field(torch.cat([g.displacement for g in kept]))
    zero = torch.zeros(1, *[1] * (len(view.plane) + 1), dtype=torch.float64)
    u = zero.expand(1, len(view.plane), *view.plane)
    return lps_field(u, view.case.grid, view.axis)


def determinant(view: ModelView, saved: Tensor) -> np.ndarray:
    """The Jacobian determinant of a saved field, (Z or 1, D, *plane) voxels: (X, Y, Z), float32."""
    values = jacobian_determinant(saved).float().numpy()
    if view.axis is None:
        return np.ascontiguousarray(values[0])
    grid = view.case.grid
    whole = np.broadcast_to(values, (grid.shape[view.axis], *values.shape[1:]))
    return np.ascontiguousarray(np.moveaxis(whole, 0, view.axis))
