"""Doing a plan of pairs; a case that fails is told and the rest goes on."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing

from src_core.model import Model
from src_core.pairs.index import Index, begin
from src_core.pairs.plan import PairsPlan
from src_core.pairs.work import Bench, Doing, Made, do

__all__ = ["make_pairs", "steps"]


def make_pairs(plan: PairsPlan, model: Model) -> Iterator[Made]:
    """Pairs as they come; stop taking values to cancel, and plan with resume to go on.

    Raises:
        InputError: the output folder is of another run, cannot be written, or its disk is full.
    """
    return (value for value in steps(plan, model) if isinstance(value, Made))


def steps(plan: PairsPlan, model: Model) -> Iterator[Doing | Made]:
    """As ``make_pairs``; in this process also the steps of every job, for a caller to cancel."""
    begin(plan)
    index = Index(plan)
    try:
        with closing(_done(plan, model)) as values:
            for value in values:
                if isinstance(value, Made):
                    index.add(value.job, value.metrics, value.message)
                yield value
    finally:
        index.save()


def _done(plan: PairsPlan, model: Model) -> Generator[Doing | Made, None, None]:
    if plan.request.workers > 1:
        from src_core.pairs.crew import on_processes

        yield from on_processes(plan, model)
        return
    bench = Bench()
    for job in plan.jobs:
        yield from do(plan.request, job, model, bench)
