"""Doing a plan; a case that fails is told and the rest goes on."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from pathlib import Path

from src_core.augment.jobs import Doing, Made, Shop
from src_core.augment.layouts import sweep
from src_core.augment.manifest import Ledger
from src_core.augment.plan import Plan
from src_core.augment.run_folder import begun
from src_core.augment.workers import Task, here, on_processes, tool_of
from src_core.models.model import Model

__all__ = ["augment", "steps"]


def augment(plan: Plan, model: Model) -> Iterator[Made]:
    """New cases as they come; stop taking values to cancel, and plan with resume to go on.

    Raises:
        InputError: the output folder is of another run, its disk is full, or no scheduler answers.
    """
    return (value for value in steps(plan, model) if isinstance(value, Made))


def steps(plan: Plan, model: Model) -> Iterator[Doing | Made]:
    """As ``augment``, with what is under way in between, so that a caller can cancel."""
    with begun(plan), Ledger(plan) as ledger:
        tasks = (Task(job, ledger.known(job.name)) for job in plan.jobs)
        with closing(_done(plan, tasks, model)) as values:
            for value in values:
                if isinstance(value, Made):
                    ledger.add(value)
                yield value
        sweep(Path(plan.request.out))


def _done(plan: Plan, tasks: Iterable[Task], model: Model) -> Generator[Doing | Made, None, None]:
    shop, request = Shop.of(plan), plan.request
    if request.dask:
        from src_core.augment.cluster import on_cluster

        yield from on_cluster(shop, tasks, tool_of(model), request.dask)
    elif request.workers > 1:
        yield from on_processes(shop, tasks, tool_of(model), request.workers)
    else:
        yield from here(shop, tasks, model)
