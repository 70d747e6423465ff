"""The engine's computations for the window, as generators; sessions and runs are cached.

Nothing here touches a layer or raises: an error is yielded as a ``Failure``.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Generator, Hashable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_drdm.messages import error_line
from napari_drdm.runs.cache import BoundedCache
from napari_drdm.runs.devices import falling_back, resolved
from napari_drdm.runs.moments import Moment, moment_of_outcome
from napari_drdm.runs.prepared import PreparedCase, PreparedCases
from napari_drdm.runs.requests import Failure, RunOutcome, RunProgress, RunRequest, Viewed
from napari_drdm.runs.stages import RunClock, StageTimes
from src_core.errors import Cancelled, DRDMError

if TYPE_CHECKING:
    from src_core.generation import Result
    from src_core.inspection.trajectory import Trajectory

__all__ = ["Compute"]

_log = logging.getLogger(__name__)

_MEGABYTE = 2**20
# Where drawing takes this long, in seconds, a moment that is replaced at once is not shown.
_SLOW = 1.5


@dataclass(eq=False)
class _Run:
    """The steps of a run, and its result once it is finished."""

    trace: Trajectory
    outcome: RunOutcome | None = None


class Compute:
    """Generators of moments, progress and outcomes.

    Args:
        limit: size of the cache of runs, bytes.
    """

    def __init__(self, limit: int = 512 * _MEGABYTE) -> None:
        self.runs: BoundedCache[_Run] = BoundedCache(limit)
        self._times = StageTimes()
        self._prepared = PreparedCases()

    def clear(self) -> None:
        """Empty all caches."""
        self.runs.clear()
        self._prepared = PreparedCases()

    def trace(self, outcome: RunOutcome) -> Trajectory | None:
        """The steps that led to a result, if they are still cached."""
        known = self.runs.find(
            lambda run: run.outcome is not None and run.outcome.result is outcome.result
        )
        return known.trace if known else None

    def preview(
        self, request: RunRequest, viewed: Viewed, base: RunOutcome | None = None
    ) -> Iterator[Moment | Failure]:
        """The random field's image at once, or the result if it is cached.

        With a ``base``, the result of the same request with other targets: what it takes from
        there to the request's own targets, by the prior alone.
        """
        return _with_failure(self._preview(request, viewed, base))

    def run(self, request: RunRequest, viewed: Viewed) -> Iterator[Any]:
        """Progress and moments during the recovery, then the final moment and the outcome."""
        return _with_failure(self._resolving(request, viewed))

    def at_position(
        self, request: RunRequest, position: float, viewed: Viewed
    ) -> Iterator[Moment | Failure]:
        """Any moment of a cached run: the part on view first, then all of it."""
        return _with_failure(self._at_position(request, position, viewed))

    def stopped(
        self, request: RunRequest, trace: Trajectory, viewed: Viewed
    ) -> Iterator[Moment | Failure]:
        """The last whole step of a run that was cancelled."""
        return _with_failure(
            self._whole(self._prepared.get(request), request, trace, trace.total, viewed)
        )

    def _resolving(self, request: RunRequest, viewed: Viewed) -> Iterator[Any]:
        yield RunProgress(0, 0, "", "preparing")
        yield from falling_back(
            lambda name: self._run(replace(request, device=name), viewed),
            resolved(request.device),
            self._prepared.forget,
        )

    def _preview(
        self, request: RunRequest, viewed: Viewed, base: RunOutcome | None
    ) -> Iterator[Moment]:
        prepared = self._prepared.get(request)
        known = self.runs.get(_run_key(prepared, request))
        if known is not None and known.outcome is not None:
            yield moment_of_outcome(replace(known.outcome, request=request), known.trace)
            return
        total = prepared.session.step_count(request.options)
        if base is None:
            u = prepared.so_far(request, viewed, [])
        else:
            trace = self.trace(base)
            if trace is None or not trace.last_steps:
                return  # its steps were no longer stored: what is shown stays
            u = prepared.answered(request, viewed, trace)
        yield prepared.moment(request, u, 0, total, viewed)

    def _run(self, request: RunRequest, viewed: Viewed) -> Generator[Any, None, None]:
        started, prepared = time.perf_counter(), self._prepared.get(request)
        key = _run_key(prepared, request)
        known = self.runs.get(key)
        clock = self._clock(prepared, request)
        if known is None:
            known = _Run((yield from self._recovered(prepared, request, viewed, clock)))
            self.runs.put(key, known, known.trace.nbytes)
        outcome = known.outcome
        if outcome is None:
            finished = self._finished(prepared, request, known.trace, viewed, clock)
            result = yield from finished
            metrics = {**result.metrics, "seconds": time.perf_counter() - started}
            result = replace(result, metrics=metrics)
            _ = result.label_figures  # measured in this thread, shown in the main one
            outcome = RunOutcome(request, prepared.layer_case, result)
            self.runs.put(key, _Run(known.trace, outcome), known.trace.nbytes + _size(outcome))
        outcome = replace(outcome, request=request)
        yield moment_of_outcome(outcome, known.trace)
        yield outcome

    def _clock(self, prepared: PreparedCase, request: RunRequest) -> RunClock:
        from src_core.steering.search import rounds_of

        session = prepared.session
        steps = (session.step_count(request.options) + 1) * session.view.slabs
        steps *= rounds_of(request.options.targets)
        voxels = math.prod(prepared.layer_case.case.grid.shape)
        return self._times.begin(session.model.spec.ndim, voxels, steps)

    def _recovered(
        self, prepared: PreparedCase, request: RunRequest, viewed: Viewed, clock: RunClock
    ) -> Generator[Any, None, Trajectory]:
        from src_core.inspection.trajectory import Trajectory

        slabs: list[list[Any]] = []
        session, drawn = prepared.session, time.perf_counter()
        steered = bool(request.options.targets)
        for step in session.steps(request.options):
            if step.recovery.index == 0:  # of a slab, or of its next round
                slabs[step.slab :] = [[]]
            slabs[-1].append(step.recovery)
            steps = Trajectory(session.view, slabs)
            index, device = step.index + 1, str(session.model.device)
            left = clock.left("steps", index / step.total)
            doing = f"round {step.round} of at most {step.rounds}" if steered else ""
            yield RunProgress(index, step.total, device, doing, steps, left)
            if not steered and time.perf_counter() - drawn > viewed.pause:
                u, at = prepared.so_far(request, viewed, slabs), step.recovery
                yield prepared.moment(request, u, at.index, at.total, viewed)
                drawn = time.perf_counter()
        trace = Trajectory(session.view, slabs)
        _ = trace.curve  # computed in this thread, drawn in the main one
        return trace

    def _finished(
        self,
        prepared: PreparedCase,
        request: RunRequest,
        trace: Trajectory,
        viewed: Viewed,
        clock: RunClock,
    ) -> Generator[Any, None, Result]:
        from src_core.generation.run import Finishing, finish

        device, end = str(prepared.session.model.device), trace.numbers(trace.total)
        slabs, guarded = max(len(trace.last_steps), 1), 0
        if trace.total and viewed.pause < _SLOW:
            moment = prepared.moment(
                request, trace.at(trace.total), trace.total, trace.total, viewed
            )
            yield replace(moment, trace=trace, numbers=end)
        for value in finish(prepared.session, request.options, trace.last_steps):
            if not isinstance(value, Finishing):
                clock.finish()
                return value
            if value.what == "inverse":
                moment = prepared.warped(request, value, trace.total, viewed)
                yield replace(moment, trace=trace, numbers=end)
            done = guarded / slabs if value.what == "guard" else 0.0
            guarded += value.what == "guard"
            left = clock.left(value.what, done)
            yield RunProgress(1, 1, device, _FINISHING[value.what], None, left)
        raise RuntimeError("a run ended without a result")

    def _at_position(
        self, request: RunRequest, position: float, viewed: Viewed
    ) -> Iterator[Moment]:
        prepared = self._prepared.get(request)
        known = self.runs.get(_run_key(prepared, request))
        if known is None:
            return
        if known.outcome is not None and position >= known.trace.total:
            yield moment_of_outcome(replace(known.outcome, request=request), known.trace)
            return
        yield from self._whole(prepared, request, known.trace, position, viewed)

    def _whole(
        self,
        prepared: PreparedCase,
        request: RunRequest,
        trace: Trajectory,
        position: float,
        viewed: Viewed,
    ) -> Generator[Moment, None, None]:
        """A moment with all its voxels, and its field if an overlay needs it."""
        if not trace.last_steps:
            return
        u, numbers = trace.at(position), trace.numbers(position)
        if viewed.part is not None:
            moment = prepared.moment(request, u, position, trace.total, viewed)
            yield replace(moment, trace=trace, numbers=numbers)
        moment = prepared.moment(request, u, position, trace.total, None)
        field = prepared.field(u) if viewed.field else None
        jacobian = None if field is None else prepared.jacobian(field)
        yield replace(moment, trace=trace, numbers=numbers, displacement=field, jacobian=jacobian)


_FINISHING = {
    "guard": "removing folds",
    "warp": "warping",
    "inverse": "inverting",
    "proof": "certifying",
}


def _with_failure(values: Iterator[Any]) -> Iterator[Any]:
    """The same values; an error becomes a last one, a Failure."""
    try:
        yield from values
    except (Cancelled, GeneratorExit):
        raise
    except Exception as error:
        yield failure(error)


def failure(error: Exception) -> Failure:
    """An error as one line; unexpected ones are logged."""
    if not isinstance(error, DRDMError):
        _log.exception("a run failed", exc_info=error)
    return Failure(error_line(error))


def _run_key(prepared: PreparedCase, request: RunRequest) -> Hashable:
    return prepared.key, request.options.model_dump_json()


def _size(outcome: RunOutcome) -> int:
    result = outcome.result
    volumes = (*result.case.images, *result.case.labels)
    fields: tuple[np.ndarray[Any, Any], ...] = (
        result.displacement,
        result.inverse,
        result.jacobian,
    )
    return sum(v.data.nbytes for v in volumes) + sum(f.nbytes for f in fields)
