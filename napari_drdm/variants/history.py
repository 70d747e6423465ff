"""Every finished result by its inputs; arrays only as long as they fit into a number of bytes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from napari.layers import Layer

    from napari_drdm.runs.requests import RunOutcome, RunRequest
    from src_core.generation import Options

__all__ = ["History", "RunInputs", "Variant", "held_bytes"]

_LIMIT = 256 * 2**20
_MOST = 60
# A level shown for less, in seconds, was only passed on the way to another.
_PASSING = 0.7


@dataclass(frozen=True)
class RunInputs:
    """What makes a result again.

    Attributes:
        source: the image layer.
        labels: the labels layer, or None.
        extras: further layers that go with it.
        model: its file.
        options: level, seed, steps, slices and the like.
    """

    source: Any
    labels: Any
    extras: tuple[Any, ...]
    model: Path
    options: Options

    @classmethod
    def of(cls, request: RunRequest) -> RunInputs:
        """The inputs of a request."""
        layers = request.source, request.labels, request.extras
        return cls(*layers, request.model, request.options)

    def differs_in_level_only(self, other: RunInputs) -> bool:
        """Whether only the level differs."""
        level = {"level": other.options.level}
        return replace(self, options=self.options.model_copy(update=level)) == other


@dataclass(eq=False)
class Variant:
    """One result.

    Attributes:
        number: that identifies it.
        name: that is shown.
        inputs: what makes it again.
        picture: (side, side, 3), uint8.
        metrics: its numbers.
        outcome: all of it; None once its bytes were needed for others.
        recipe: of the result, as it was made first.
        pinned: kept until it is deleted.
        layers: in the viewer, of a pinned one: its image, then its labels.
    """

    number: int
    name: str
    inputs: RunInputs
    picture: NDArray[np.uint8]
    metrics: dict[str, Any]
    outcome: RunOutcome | None = None
    recipe: Mapping[str, Any] = field(default_factory=dict)
    pinned: bool = False
    layers: tuple[Layer, ...] = ()
    used: int = field(default=0, repr=False)
    made: float = field(default=0.0, repr=False)
    picked: bool = field(default=False, repr=False)


class History:
    """Variants, the newest first.

    Attributes:
        limit: bytes of arrays held, at most.

    Args:
        limit: bytes of arrays held, at most; the newest result is held in any case.
        most: how many that are not pinned.
        clock: seconds.
    """

    def __init__(
        self, limit: int = _LIMIT, most: int = _MOST, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.limit, self._most, self._clock = limit, most, clock
        self._variants: list[Variant] = []
        self._numbers, self._uses = count(1), count(1)

    def __iter__(self) -> Iterator[Variant]:
        return iter(tuple(self._variants))

    def __len__(self) -> int:
        return len(self._variants)

    @property
    def bytes(self) -> int:
        """Bytes of all arrays that are held, those in common once."""
        outcomes = [v.outcome for v in self._variants if v.outcome is not None]
        return held_bytes(outcomes, [layer.data for v in self._variants for layer in v.layers])

    def set_limit(self, limit: int) -> None:
        """Hold another number of bytes from now on."""
        self.limit = limit
        self._trim(self._variants[0] if self._variants else None)

    def get(self, number: int | None) -> Variant | None:
        """The variant of a number."""
        return next((v for v in self._variants if v.number == number), None)

    def find(self, inputs: RunInputs) -> Variant | None:
        """The variant with these inputs."""
        return next((v for v in self._variants if v.inputs == inputs), None)

    def outcome(self, inputs: RunInputs) -> RunOutcome | None:
        """The stored result with these inputs."""
        variant = self.find(inputs)
        return variant.outcome if variant else None

    def add(self, outcome: RunOutcome, picture: NDArray[np.uint8]) -> Variant:
        """Keep a result; one of the same inputs takes its place, and stays where it was."""
        inputs = RunInputs.of(outcome.request)
        variant = self.find(inputs)
        if variant is None:
            self._drop_passed(inputs)
            variant = Variant(next(self._numbers), self._name(inputs), inputs, picture, {})
            variant.made = self._clock()
            self._variants.insert(0, variant)
        variant.outcome, variant.picture = outcome, picture
        variant.metrics = outcome.result.metrics
        variant.recipe = variant.recipe or outcome.result.recipe
        self._use(variant)
        self._trim(variant)
        return variant

    def put(self, variant: Variant, place: int = 0) -> None:
        """Put a variant into a place of the row: one that was removed, or that a file holds."""
        if variant.number in {0, *(v.number for v in self._variants)}:
            variant.number = next(self._numbers)
        self._variants.insert(place, variant)
        self._trim(variant)

    def pick(self, variant: Variant) -> None:
        """The user asked for it: it is kept longest."""
        variant.picked = True
        self._use(variant)

    def remove(self, variant: Variant) -> int:
        """Forget one; returns its place in the row."""
        place = self._variants.index(variant)
        del self._variants[place]
        return place

    def forget(self, layer: Any) -> None:
        """A layer was removed: a pinned variant does not have it any more."""
        for variant in self._variants:
            variant.layers = tuple(own for own in variant.layers if own is not layer)

    def _use(self, variant: Variant) -> None:
        variant.used = next(self._uses)

    def _drop_passed(self, inputs: RunInputs) -> None:
        newest = self._variants[0] if self._variants else None
        if newest is None or newest.pinned or newest.picked:
            return
        if self._clock() - newest.made < _PASSING and newest.inputs.differs_in_level_only(inputs):
            self.remove(newest)

    def _name(self, inputs: RunInputs) -> str:
        variety, targets = inputs.options.variety, len(inputs.options.targets)
        name = f"L{inputs.options.level} S{inputs.options.seed}"
        name += "" if variety is None else f" V{variety:g}"
        name += f" T{targets}" if targets else ""
        taken = {v.name for v in self._variants if v.inputs.source is inputs.source}
        names = chain([name], (f"{name} ({n})" for n in count(2)))
        return next(n for n in names if n not in taken)

    def _trim(self, newest: Variant | None) -> None:
        loose = [v for v in self._variants if not v.pinned and v is not newest]
        for variant in loose[max(self._most - 1, 0) :]:
            self.remove(variant)
        held = [v for v in self._variants if v.outcome is not None and v is not newest]
        held.sort(key=lambda v: (v.pinned, v.used))
        while held and self.bytes > self.limit:
            held.pop(0).outcome = None


def held_bytes(outcomes: Iterable[RunOutcome], others: Iterable[Any] = ()) -> int:
    """Bytes of the memory behind results and other arrays; shared memory counts once."""
    arrays = chain(others, *(_arrays(outcome) for outcome in outcomes))
    owners = {id(o): o.nbytes for o in map(_owner, arrays) if isinstance(o, np.ndarray)}
    return sum(owners.values())


def _arrays(outcome: RunOutcome) -> Iterator[Any]:
    result = outcome.result
    yield from (result.displacement, result.inverse, result.jacobian)
    for case in (result.case, result.source, outcome.layer_case.case):
        yield from (volume.data for volume in (*case.images, *case.labels))


def _owner(array: Any) -> Any:
    while isinstance(getattr(array, "base", None), np.ndarray):
        array = array.base
    return array
