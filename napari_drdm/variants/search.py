"""Seeds one after the other until enough have a label of the wanted size."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Any

from napari.qt.threading import create_worker
from qtpy.QtCore import QObject, Signal

from napari_drdm.runs.moments import Moment
from napari_drdm.runs.requests import Failure, RunOutcome
from napari_drdm.variants.history import RunInputs
from napari_drdm.variants.label_sizes import sizes_of_metrics, sizes_of_moment
from napari_drdm.variants.sequence import Generate, separate_compute

if TYPE_CHECKING:
    from collections.abc import Mapping

    from napari_drdm.runs.requests import RunRequest

__all__ = ["SeedSearch", "SizeCondition", "TriedSeed", "search_seeds"]

_SEEDS = 2**63


@dataclass(frozen=True)
class SizeCondition:
    """What is searched for.

    Attributes:
        label: value of the label.
        low: least volume, ml.
        high: largest volume, ml.
        wanted: how many seeds.
        tries: how many seeds are tried at most.
    """

    label: int
    low: float
    high: float
    wanted: int = 20
    tries: int = 200

    def holds(self, sizes: Mapping[int, float]) -> bool:
        """Whether sizes by label (ml) fulfil it; a label that was lost has none."""
        return self.low <= sizes.get(self.label, 0.0) <= self.high


@dataclass(frozen=True, eq=False)
class TriedSeed:
    """One seed that was tried.

    Attributes:
        inputs: what makes it again.
        sizes: volumes of its labels by value, ml.
        fits: whether the condition holds.
        outcome: the result, of one that fits.
    """

    inputs: RunInputs
    sizes: Mapping[int, float]
    fits: bool
    outcome: RunOutcome | None = None


class SeedSearch(QObject):
    """Searches in a worker; one search at a time.

    ``made(RunOutcome)``: a seed fits; ``tried(TriedSeed)``: any seed; ``progressed(int, int)``:
    how many fit, of how many tried; ``message(str)``: how it ended; ``ran(bool)``.

    Args:
        generate: runs a request in the worker; None: with memory of its own.
    """

    made = Signal(object)
    tried = Signal(object)
    progressed = Signal(int, int)
    message = Signal(str)
    ran = Signal(bool)

    def __init__(self, generate: Generate | None = None) -> None:
        super().__init__()
        self._generate = generate
        self._worker: Any = None
        self._condition: SizeCondition | None = None
        self._found = self._count = 0

    @property
    def busy(self) -> bool:
        """Whether seeds are tried."""
        return self._worker is not None

    def start(self, request: RunRequest, condition: SizeCondition) -> None:
        """Try the request's seed and those that follow it; an earlier search ends."""
        self.stop()
        self._condition, self._found, self._count = condition, 0, 0
        generate = self._generate or separate_compute()
        worker = create_worker(search_seeds, generate, request, condition, _start_thread=False)
        worker.yielded.connect(lambda value: self._on_value(worker, value))
        worker.finished.connect(lambda: self._on_end(worker))
        self._worker = worker
        self.ran.emit(True)
        worker.start()

    def stop(self) -> None:
        """End the search at its next step; what was found stays."""
        if self._worker is not None:
            self._worker.quit()
            self._end(f"Stopped: {self._count_text()}")

    def _on_value(self, worker: Any, value: TriedSeed | Failure | None) -> None:
        if worker is not self._worker:
            return
        if isinstance(value, Failure):
            self._end(value.message)
        elif value is not None:
            self._count += 1
            self._found += value.fits
            self.tried.emit(value)
            if value.outcome is not None:
                self.made.emit(value.outcome)
            self.progressed.emit(self._found, self._count)

    def _on_end(self, worker: Any) -> None:
        if worker is self._worker and self._condition is not None:
            enough = self._found >= self._condition.wanted
            self._end(self._count_text() + ("" if enough else ": no more tries are allowed"))

    def _end(self, text: str) -> None:
        self._worker = None
        self.message.emit(text)
        self.ran.emit(False)

    def _count_text(self) -> str:
        return f"{self._found} of {self._count} seeds fit"


def search_seeds(
    generate: Generate, request: RunRequest, condition: SizeCondition
) -> Iterator[TriedSeed | Failure | None]:
    """In a worker: each seed tried, None between steps; ends after the last one that is wanted.

    A seed that does not fit is left before its inverse and certificate are computed.
    """
    copied, found = request.snapshot.copied(), 0
    for one in islice(_following(request), condition.tries):
        tried: TriedSeed | None = None
        work = generate(replace(one, snapshot=copied))
        for value in work:
            if isinstance(value, Failure):
                yield value
                return
            tried = _judged(one, value, condition) or tried
            if tried is not None and (tried.outcome is not None or not tried.fits):
                break
            yield None
        getattr(work, "close", _nothing)()
        yield tried
        found += tried is not None and tried.fits
        if found >= condition.wanted:
            return


def _judged(request: RunRequest, value: Any, condition: SizeCondition) -> TriedSeed | None:
    """A seed's sizes, once there is a picture after the guard or a result; None before."""
    if isinstance(value, RunOutcome):
        sizes = sizes_of_metrics(value.result.metrics)
        fits, outcome = condition.holds(sizes), replace(value, request=request)
        return TriedSeed(RunInputs.of(request), sizes, fits, outcome if fits else None)
    if isinstance(value, Moment) and value.displacement is not None:
        sizes = sizes_of_moment(value)
        return TriedSeed(RunInputs.of(request), sizes, condition.holds(sizes))
    return None


def _following(request: RunRequest) -> Iterator[RunRequest]:
    """The request, and the same with the seeds that follow its own."""
    seed: int = request.options.seed
    while True:
        options = request.options.model_copy(update={"seed": seed % _SEEDS})
        yield replace(request, options=options)
        seed += 1


def _nothing() -> None:
    return None
