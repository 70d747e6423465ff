"""Several requests, one after the other, in a worker."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_drdm.layers.cases import shown
from napari_drdm.messages import error_line
from napari_drdm.runs.moments import Moment
from napari_drdm.runs.requests import Failure, RunOutcome, Viewed

if TYPE_CHECKING:
    from napari_drdm.layers.cases import Snapshot
    from napari_drdm.runs.requests import RunRequest

__all__ = ["Generate", "SeedUpdate", "in_sequence", "separate_compute"]

_log = logging.getLogger(__name__)

#: A request -> anything between steps, and once a RunOutcome or a Failure, as ``Compute.run``.
Generate = Callable[["RunRequest"], Iterator[Any]]


@dataclass(frozen=True, eq=False)
class SeedUpdate:
    """From a worker: what there is of one tile, None between steps; no tile at the end.

    A picture (``Moment``) comes before its outcome, which is certified and has its inverse.
    """

    run: int
    place: int | None = None
    answer: Moment | RunOutcome | Failure | None = None


def separate_compute() -> Generate:
    """Runs that share nothing with those of a window, neither arrays on view nor a cache."""
    from napari_drdm.runs.compute import Compute

    compute = Compute(limit=0)
    return lambda request: compute.run(request, Viewed(pause=math.inf))


def in_sequence(
    run: int,
    generate: Generate,
    requests: Sequence[RunRequest],
    known: Sequence[RunOutcome | None],
) -> Iterator[SeedUpdate]:
    """In a worker: the picture of each request, then what follows it: inverse and certificate.

    Ends between any two steps when it is quit.
    """
    snapshot = requests[0].snapshot.copied()
    begun: list[tuple[int, Iterator[Any]]] = []
    for place, (request, held) in enumerate(zip(requests, known, strict=True)):
        if held is not None and _same(held, snapshot):
            yield SeedUpdate(run, place, held)
            continue
        work = _without_raising(generate(replace(request, snapshot=snapshot)))
        begun.append((place, work))
        for value in work:
            yield _update(run, place, request, value)
            if _whole_picture(value):
                break
    for place, work in begun:
        for value in work:
            yield _update(run, place, requests[place], value)
    yield SeedUpdate(run)


def _update(run: int, place: int, request: RunRequest, value: Any) -> SeedUpdate:
    if isinstance(value, RunOutcome):
        value = replace(value, request=request)
    answer = value if isinstance(value, RunOutcome | Failure) or _whole_picture(value) else None
    return SeedUpdate(run, place, answer)


def _whole_picture(value: Any) -> bool:
    """Whether it is the new case itself, though not certified yet."""
    return isinstance(value, Moment) and value.displacement is not None


def _without_raising(work: Iterator[Any]) -> Iterator[Any]:
    try:
        yield from work
    except Exception as error:
        _log.exception("a seed failed", exc_info=error)
        yield Failure(error_line(error))


def _same(held: RunOutcome, snapshot: Snapshot) -> bool:
    """Whether a result was made of exactly these values."""
    source, back = held.result.source, held.layer_case.back
    before = held.request.snapshot
    if snapshot.extras or before.extras or before.spacing != snapshot.spacing:
        return False
    if bool(source.labels) != (snapshot.labels is not None):
        return False
    if snapshot.labels is not None and not np.array_equal(
        back(source.labels[0].data), snapshot.labels
    ):
        return False
    return np.array_equal(back(shown(source.images[0])), snapshot.image)
