"""The population of a run, and what its manifest says of a new case of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from math import isfinite, nan
from pathlib import Path
from typing import Any

import torch

from src_core.augment.cohort import read_entry
from src_core.augment.plan import Plan
from src_core.augment.population import Drawn, Population
from src_core.cases.case import Case
from src_core.errors import DRDMError
from src_core.fields.warp_case import warped_labels
from src_core.generation import Options, Result, Session

__all__ = ["population_facts", "population_of"]


def population_of(plan: Plan, ndim: int) -> Population | None:
    """The population that a plan asks for; measures its cohort, in the run's folder.

    Raises:
        InputError: the cohort cannot be read, or has changed since the run began.
    """
    request = plan.request
    found = Population.of(
        Path(request.out),
        ndim,
        seed=request.seed,
        spreads=request.spread,
        like=request.like,
        fixed=plan.jobs[0].options[0].targets,
        spacing=request.spacing,
    )
    return None if found is None else found.balanced(_sources(plan, found))


def _sources(plan: Plan, population: Population) -> Iterator[dict[str, float]]:
    """The measures of the sources that can be read; each is read again when its jobs are done."""
    if population.cohort is None:
        return
    for entry in dict.fromkeys(job.entry for job in plan.jobs):
        if entry.labels is None:
            continue
        with suppress(DRDMError, OSError):
            yield population.shapes(read_entry(entry, plan.request.spacing))


def population_facts(
    population: Population, session: Session, asked: Options, drawn: Drawn, made: Result
) -> dict[str, Any]:
    """What a new case was to be, its measures, its source's, and those that its seed alone gives.

    Measures are without a pose; what is unknown is None.

    Args:
        population: of the run.
        session: of the source.
        asked: options of the new case.
        drawn: what it was to be.
        made: the new case.
    """
    shapes = {"source": population.shapes(session.case), "new": _unposed(population, made)}
    if population.cohort is not None:
        own = {"targets": population.fixed, "seed": made.metrics["seed"]}
        shapes["plain"] = population.shapes(_plain(session, asked.model_copy(update=own)))
    return {**drawn.facts(), "shapes": {name: _known(found) for name, found in shapes.items()}}


def _known(shapes: dict[str, float]) -> dict[str, float | None]:
    return {name: value if isfinite(value) else None for name, value in shapes.items()}


def _unposed(population: Population, made: Result) -> dict[str, float]:
    """Measures of a new case, without the scale of its pose; NaN where the pose cut a label off."""
    found = population.shapes(made.case)
    zoom, cut = made.metrics.get("pose_volume", 1.0), made.metrics.get("label_cut_percent", {})
    powers = {"volume": 1.0, "area": 2 / population.ndim, "thickness": 1 / population.ndim}
    for name, value in found.items():
        kind, _, labels = name.partition(" ")
        whole = not any(cut.get(label) for label in labels.split("/"))
        found[name] = value / zoom ** powers.get(kind, 0.0) if whole else nan
    return found


@torch.inference_mode()
def _plain(session: Session, options: Options) -> Case:
    """The labels of a case under the deformation of a level and seed without targets."""
    case, ends = session.case, session.ends(options)
    u = torch.cat([end.displacement for end in ends])
    mode = options.label_interpolation
    moved = warped_labels(case.labels[0], case.grid, session.view.field(u), mode)
    return replace(case, labels=(case.labels[0].with_data(moved), *case.labels[1:]))
