"""Running a plan: a case that fails is reported, and the rest goes on."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from src_core.augment.jobs import Doing, Made, RunSettings
from src_core.augment.layouts import remove_partial
from src_core.augment.manifest import Manifest
from src_core.augment.plan import Plan
from src_core.augment.population_facts import population_of
from src_core.augment.run_folder import opened_folder
from src_core.augment.workers import QueuedJob, in_this_process, on_processes, worker_model
from src_core.models.model import Model

__all__ = ["augment", "steps"]


def augment(plan: Plan, model: Model) -> Iterator[Made]:
    """New cases as they come; stop taking values to cancel, and plan with resume to continue.

    Raises:
        InputError: the output folder is of another run, its disk is full, or no scheduler answers.
    """
    return (value for value in steps(plan, model) if isinstance(value, Made))


def steps(plan: Plan, model: Model) -> Iterator[Doing | Made]:
    """As ``augment``, with progress in between, so that a caller can cancel."""
    with opened_folder(plan), Manifest(plan) as manifest:
        settings = replace(RunSettings.of(plan), population=population_of(plan, model.spec.ndim))
        tasks = (QueuedJob(job, manifest.known(job.name)) for job in plan.jobs)
        with closing(_done(settings, tasks, model)) as values:
            for value in values:
                if isinstance(value, Made):
                    manifest.add(value)
                yield value
        remove_partial(Path(plan.request.out))


def _done(
    settings: RunSettings, tasks: Iterable[QueuedJob], model: Model
) -> Generator[Doing | Made, None, None]:
    request = settings.request
    if request.dask:
        from src_core.augment.cluster import on_cluster

        yield from on_cluster(settings, tasks, worker_model(model), request.dask)
    elif request.workers > 1:
        yield from on_processes(settings, tasks, worker_model(model), request.workers)
    else:
        yield from in_this_process(settings, tasks, model)
