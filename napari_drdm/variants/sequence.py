"""Several requests, one after the other, in a worker."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_drdm.layers.cases import shown
from napari_drdm.messages import error_line
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
    """From a worker: the outcome or failure of one cell, None between steps; no cell at the end."""

    run: int
    place: int | None = None
    answer: RunOutcome | Failure | None = None


def separate_compute() -> Generate:
    """Runs that share nothing with those of a window, neither arrays on view nor a cache."""
    from napari_drdm.runs.compute import Compute

    compute = Compute(limit=0)
    return lambda request: compute.run(request, Viewed())


def in_sequence(
    run: int,
    generate: Generate,
    requests: Sequence[RunRequest],
    known: Sequence[RunOutcome | None],
) -> Iterator[SeedUpdate]:
    """In a worker: one request after the other; ends between any two steps when it is quit."""
    snapshot = requests[0].snapshot.copied()
    for place, (request, held) in enumerate(zip(requests, known, strict=True)):
        if held is not None and _same(held, snapshot):
            yield SeedUpdate(run, place, held)
            continue
        for value in _without_raising(generate(replace(request, snapshot=snapshot))):
            if isinstance(value, RunOutcome):
                yield SeedUpdate(run, place, replace(value, request=request))
            else:
                yield SeedUpdate(run, place, value if isinstance(value, Failure) else None)
    yield SeedUpdate(run)


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
