"""What a window asks of the engine, as generators for a lane; sessions and runs are remembered.

Nothing here touches a layer or raises: what went wrong comes as a ``Failure``.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Generator, Hashable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_drdm.messages import error_line
from napari_drdm.runs.cache import Memory
from napari_drdm.runs.devices import falling_back, resolved
from napari_drdm.runs.moments import Look, of_outcome
from napari_drdm.runs.prepared import Place, Places
from napari_drdm.runs.requests import Failure, Outcome, Progress, Request, Viewed
from src_core.errors import DRDMError

if TYPE_CHECKING:
    from src_core.inspection.trajectory import Trace

__all__ = ["Desk"]

_log = logging.getLogger(__name__)

_MEGABYTE = 2**20
# Seconds between looks from which the window draws so slowly that none is shown for a moment only.
_SLOW = 1.5


@dataclass(eq=False)
class _Run:
    """The steps of a run, and its result once there is one."""

    trace: Trace
    outcome: Outcome | None = None


class Desk:
    """Generators of looks, progress and outcomes.

    Args:
        limit: bytes of runs that are kept.
    """

    def __init__(self, limit: int = 512 * _MEGABYTE) -> None:
        self.runs: Memory[_Run] = Memory(limit)
        self._places = Places()

    def clear(self) -> None:
        """Forget everything."""
        self.runs.clear()
        self._places = Places()

    def trace(self, outcome: Outcome) -> Trace | None:
        """The steps that led to a result, where they are still remembered."""
        known = self.runs.find(
            lambda run: run.outcome is not None and run.outcome.result is outcome.result
        )
        return known.trace if known else None

    def glance(self, request: Request, viewed: Viewed) -> Iterator[Look | Failure]:
        """The random field's image at once, or the result where it is known already."""
        return _told(self._glance(request, viewed))

    def run(self, request: Request, viewed: Viewed) -> Iterator[Any]:
        """Progress and looks as the recovery goes, at last an Outcome and its look."""
        return _told(self._resolving(request, viewed))

    def moment(self, request: Request, position: float, viewed: Viewed) -> Iterator[Look | Failure]:
        """Any moment of a run that is remembered: quickly, then whole."""
        return _told(self._moment(request, position, viewed))

    def stopped(self, request: Request, trace: Trace, viewed: Viewed) -> Iterator[Look | Failure]:
        """The last whole step of a run that was cancelled."""
        return _told(self._whole(self._places.get(request), request, trace, trace.total, viewed))

    def _resolving(self, request: Request, viewed: Viewed) -> Iterator[Any]:
        yield Progress(0, 0, "", "preparing")
        yield from falling_back(
            lambda name: self._run(replace(request, device=name), viewed),
            resolved(request.device),
            self._places.forget,
        )

    def _glance(self, request: Request, viewed: Viewed) -> Iterator[Look]:
        place = self._places.get(request)
        known = self.runs.get(_run_key(place, request))
        if known is not None and known.outcome is not None:
            yield of_outcome(replace(known.outcome, request=request), known.trace)
            return
        total = place.session.jumps(request.options)
        yield place.look(request, place.so_far(request, viewed, []), 0, total, viewed)

    def _run(self, request: Request, viewed: Viewed) -> Generator[Any, None, None]:
        started, place = time.perf_counter(), self._places.get(request)
        key = _run_key(place, request)
        known = self.runs.get(key)
        if known is None:
            known = _Run((yield from self._recovered(place, request, viewed)))
            self.runs.put(key, known, known.trace.nbytes)
        if known.outcome is None:
            outcome = yield from self._finished(place, request, known.trace, viewed, started)
            known = _Run(known.trace, outcome)
            self.runs.put(key, known, known.trace.nbytes + _size(outcome))
        outcome = replace(known.outcome, request=request)
        yield of_outcome(outcome, known.trace)
        yield outcome

    def _recovered(
        self, place: Place, request: Request, viewed: Viewed
    ) -> Generator[Any, None, Trace]:
        from src_core.inspection.trajectory import Trace

        slabs: list[list[Any]] = []
        session, drawn = place.session, time.perf_counter()
        for step in session.steps(request.options):
            if step.recovery.index == 0:
                slabs.append([])
            slabs[-1].append(step.recovery)
            steps = Trace(session.view, slabs)
            yield Progress(step.index + 1, step.total, str(session.model.device), "", steps)
            if time.perf_counter() - drawn > viewed.pause:
                u, at = place.so_far(request, viewed, slabs), step.recovery
                yield place.look(request, u, at.index, at.total, viewed)
                drawn = time.perf_counter()
        trace = Trace(session.view, slabs)
        _ = trace.curve  # made here, drawn on the main thread
        return trace

    def _finished(
        self, place: Place, request: Request, trace: Trace, viewed: Viewed, started: float
    ) -> Generator[Any, None, Outcome]:
        from src_core.generation.run import Finishing, finish

        device, end = str(place.session.model.device), trace.numbers(trace.total)
        if trace.total and viewed.pause < _SLOW:
            look = place.look(request, trace.at(trace.total), trace.total, trace.total, viewed)
            yield replace(look, trace=trace, numbers=end)
        for value in finish(place.session, request.options, trace.lasts):
            if isinstance(value, Finishing):
                if value.what == "inverse":
                    look = place.warped(request, value, trace.total, viewed)
                    yield replace(look, trace=trace, numbers=end)
                yield Progress(1, 1, device, _FINISHING[value.what])
                continue
            metrics = {**value.metrics, "seconds": time.perf_counter() - started}
            return Outcome(request, place.layer_case, replace(value, metrics=metrics))
        raise RuntimeError("a run ended without a result")

    def _moment(self, request: Request, position: float, viewed: Viewed) -> Iterator[Look]:
        place = self._places.get(request)
        known = self.runs.get(_run_key(place, request))
        if known is None:
            return
        if known.outcome is not None and position >= known.trace.total:
            yield of_outcome(replace(known.outcome, request=request), known.trace)
            return
        yield from self._whole(place, request, known.trace, position, viewed)

    def _whole(
        self, place: Place, request: Request, trace: Trace, position: float, viewed: Viewed
    ) -> Generator[Look, None, None]:
        """A moment with all its voxels, and its field where an overlay asks for it."""
        if not trace.lasts:
            return
        u, numbers = trace.at(position), trace.numbers(position)
        if viewed.part is not None:
            look = place.look(request, u, position, trace.total, viewed)
            yield replace(look, trace=trace, numbers=numbers)
        look = place.look(request, u, position, trace.total, None)
        field = place.field(u) if viewed.field else None
        jacobian = None if field is None else place.jacobian(field)
        yield replace(look, trace=trace, numbers=numbers, displacement=field, jacobian=jacobian)


_FINISHING = {
    "guard": "looking for folds",
    "warp": "warping",
    "inverse": "inverting",
    "proof": "proving",
}


def _told(values: Iterator[Any]) -> Iterator[Any]:
    """Values, and what went wrong as a last one."""
    try:
        yield from values
    except GeneratorExit:
        raise
    except Exception as error:
        yield failure(error)


def failure(error: Exception) -> Failure:
    """An error as one line; what nobody expected is logged."""
    if not isinstance(error, DRDMError):
        _log.exception("a run failed", exc_info=error)
    return Failure(error_line(error))


def _run_key(place: Place, request: Request) -> Hashable:
    return place.key, request.options.model_dump_json()


def _size(outcome: Outcome) -> int:
    result = outcome.result
    volumes = (*result.case.images, *result.case.labels)
    fields: tuple[np.ndarray[Any, Any], ...] = (
        result.displacement,
        result.inverse,
        result.jacobian,
    )
    return sum(v.data.nbytes for v in volumes) + sum(f.nbytes for f in fields)
