"""What new cases are to be as a population: values drawn for each, within what its source allows.

They come from spreads, or from the real cases of a cohort (smoothed bootstrap, Silverman 1986,
6.4.1), so weighted that all sources together draw these equally often (Sinkhorn 1967).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import inf, nan
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from src_core.augment.cohort import Cohort, read_cohort
from src_core.augment.shape_measures import measured_shapes, walls_of
from src_core.augment.spreads import Spread, even_numbers, rounded
from src_core.cases.case import Case
from src_core.errors import InputError
from src_core.generation.options import Options
from src_core.steering.amounts import number_text
from src_core.steering.contradictions import check_together
from src_core.steering.targets import Target, parse_target

__all__ = ["REACH", "Drawn", "Population"]

Array = NDArray[np.float64]
#: Factors of what a source has that deformations reach without folds and odd shapes.
REACH = {"volume": (0.4, 2.3), "area": (0.4, 2.3), "ratio": (0.5, 2.0), "thickness": (0.5, 2.0)}
#: Measures that are no factors: nothing is known about their reach.
_ABSOLUTE = {"roundness": (0.0, 1.0), "elongation": (0.0, 1.5)}
#: Width of the kernel, in standard deviations of the cohort.
_KERNEL = 0.2
#: How fast real cases beyond reach are drawn less often: by e for this part of a logarithm.
_BEYOND = 0.02
#: The least chance of a real case, relative to one within reach.
_LEAST = 1e-12
#: Rounds of Sinkhorn's method, and the most that it weighs a real case.
_ROUNDS, _MOST = 200, 1e4
_UNITS = {"volume": " ml", "area": " mm2", "thickness": " mm"}


@dataclass(frozen=True)
class Drawn:
    """What a new case is to be.

    Attributes:
        targets: that ask for it.
        wanted: measure -> value, in the unit of targets.
        limited: measures whose distribution, or value, was cut to what the source can reach.
        like: the real case that it follows; empty without a cohort.
        within: share of the cohort that the source can reach; 1 without a cohort.
    """

    targets: tuple[Target, ...] = ()
    wanted: Mapping[str, float] = field(default_factory=dict)
    limited: tuple[str, ...] = ()
    like: str = ""
    within: float = 1.0

    def options(self, plain: tuple[Options, ...]) -> tuple[Options, ...]:
        """Options of a new case, with these targets besides its own."""
        (one,) = plain
        return (one.model_copy(update={"targets": (*one.targets, *self.targets)}),)

    def facts(self) -> dict[str, Any]:
        """For the manifest."""
        return {
            "wanted": dict(self.wanted),
            "limited": list(self.limited),
            "like": self.like,
            "within_reach": self.within,
        }


@dataclass(frozen=True, eq=False)
class Population:
    """Distributions that the measures of new cases are drawn from.

    Attributes:
        seed: of the run.
        spreads: measures with a distribution each.
        cohort: real cases whose joint distribution the others follow; None without.
        fixed: targets of every new case.
        ndim: axes of the model.
        weights: how much more often each real case is drawn; the same for all where None.
    """

    seed: int
    spreads: tuple[Spread, ...]
    cohort: Cohort | None
    fixed: tuple[Target, ...]
    ndim: int
    weights: Array | None = None

    @classmethod
    def of(
        cls,
        folder: Path,
        ndim: int,
        *,
        seed: int,
        spreads: tuple[Spread, ...] = (),
        like: Path | None = None,
        fixed: tuple[Target, ...] = (),
        spacing: float | None = None,
    ) -> Population | None:
        """The population that is asked for; None where nothing is drawn.

        Args:
            folder: of the run, which keeps the measures of the cohort.
            ndim: axes of the model.
            seed: of the run.
            spreads: measures with a distribution each.
            like: the data set whose distribution the others follow.
            fixed: targets of every new case.
            spacing: mm per pixel of pictures.

        Raises:
            InputError: the cohort cannot be read, or has changed since the run began.
        """
        if not spreads and like is None:
            return None
        cohort = None if like is None else read_cohort(Path(like), ndim, spacing, folder)
        return cls(seed, spreads, cohort, fixed, ndim)

    @property
    def measures(self) -> tuple[str, ...]:
        """All measures that are drawn or compared."""
        of_cohort = self.cohort.measures if self.cohort else ()
        return tuple(dict.fromkeys([*of_cohort, *(s.measure for s in self.spreads)]))

    def shapes(self, case: Case) -> dict[str, float]:
        """The measures of a case."""
        walls = self.cohort.walls if self.cohort else walls_of(case, self.ndim)
        return measured_shapes(case, self.measures, walls, self.ndim)

    def draw(self, now: Mapping[str, float], case: str, index: int) -> Drawn:
        """What a new case is to be.

        Args:
            now: the measures of its source.
            case: the source's name.
            index: its number among the new cases of the source.
        """
        found = self._of_spreads(now, case, index)
        return found if self.cohort is None else self._like(found, now, case, index)

    def _of_spreads(self, now: Mapping[str, float], case: str, index: int) -> Drawn:
        numbers = even_numbers(self.seed, case, index, len(self.spreads))
        targets, wanted, limited = [], {}, []
        for spread, u in zip(self.spreads, numbers, strict=True):
            own = now.get(spread.measure, nan)
            least, most = _reach(spread.measure, 1.0 if spread.factor else own)
            value = rounded(spread.value(u, least, most))
            low, high = spread.bounds
            if low > most or high < least:
                raise InputError(
                    f"{spread} is out of this source's reach",
                    where=case,
                    option="spread",
                    expected=f"{spread.measure} within {least:.4g} to {most:.4g}",
                )
            if least > low or most < high:
                limited.append(spread.measure)
            targets.append(spread.target(value))
            wanted[spread.measure] = value * own if spread.factor else value
        return Drawn(tuple(targets), wanted, tuple(limited))

    def balanced(self, sources: Iterable[Mapping[str, float]]) -> Population:
        """The same, with real cases drawn equally often from all sources together.

        Args:
            sources: the measures of each.
        """
        if self.cohort is None:
            return self
        rows = [chances for now in sources if (chances := self._chances(now)) is not None]
        if not rows:
            return self
        chances, weights = np.stack(rows), np.ones(len(self.cohort.names))
        share = len(rows) / max(int((chances.max(axis=0) > 0).sum()), 1)
        for _ in range(_ROUNDS):
            drawn = chances * weights
            expected = (drawn / drawn.sum(axis=1, keepdims=True)).sum(axis=0)
            weights = weights * np.where(expected > 0, share / expected.clip(1e-300), 1.0)
            weights = weights.clip(1 / _MOST, _MOST)
        return replace(self, weights=weights)

    def _chances(self, now: Mapping[str, float]) -> Array | None:
        """Of each real case, from a source: 1 within its reach, less beyond; None where unknown."""
        names = self._asked(now)
        if not names:
            return None
        beyond = self._beyond(now, names)
        least = np.where(np.isfinite(beyond), _LEAST, 0.0)
        return np.asarray(np.exp(-np.nan_to_num(beyond, nan=inf) / _BEYOND) + least)

    def _beyond(self, now: Mapping[str, float], names: Sequence[str]) -> Array:
        """How far each real case is beyond a source's reach, a logarithm; NaN where unknown."""
        logs, ends = self._logs(names), _ends(now, names)
        return np.asarray(np.maximum(np.maximum(ends[:, 0] - logs, logs - ends[:, 1]), 0).max(1))

    def _logs(self, names: Sequence[str]) -> Array:
        """(cases, measures): logarithms of measures of the cohort."""
        assert self.cohort is not None
        return np.log(self.cohort.values[:, [self.cohort.measures.index(n) for n in names]])

    def _like(self, found: Drawn, now: Mapping[str, float], case: str, index: int) -> Drawn:
        """The same with the measures of a real case."""
        names, chances = self._asked(now), self._chances(now)
        if chances is None:
            return found
        assert self.cohort is not None
        chances = chances if self.weights is None else chances * self.weights
        logs, ends = self._logs(names), _ends(now, names)
        known = np.flatnonzero(np.isfinite(logs).all(axis=1))
        u = even_numbers(self.seed, case, index, 1)[0]
        place = _chosen(logs[known], chances[known], u)
        values = _with_kernel(logs[known], place, self._source(case, index))
        kept = values.clip(ends[:, 0], ends[:, 1])
        limited = [n for n, v, k in zip(names, values, kept, strict=True) if v != k]
        wanted = {n: rounded(float(np.exp(v))) for n, v in zip(names, kept, strict=True)}
        return Drawn(
            (*found.targets, *(_target(n, v) for n, v in wanted.items())),
            {**found.wanted, **wanted},
            (*found.limited, *limited),
            self.cohort.names[known[place]],
            float((self._beyond(now, names)[known] == 0).mean()),
        )

    def _asked(self, now: Mapping[str, float]) -> list[str]:
        """Measures of the cohort that are asked for: those that nothing else decides.

        A wall's size follows from its thickness and what it encloses.
        """
        assert self.cohort is not None
        other = [*self.fixed, *(s.target(s.low) for s in self.spreads)]
        names = [n for n in self.cohort.measures if np.isfinite(now.get(n, nan))]
        sized = {f"volume {wall}" for wall in self.cohort.walls if f"thickness {wall}" in names}
        return [n for n in names if n not in sized and _possible(n, now[n], other)]

    def _source(self, case: str, index: int) -> np.random.Generator:
        digest = hashlib.sha256(f"{self.seed}/{index}/{case}/like".encode()).digest()
        return np.random.default_rng(int.from_bytes(digest[:8], "big"))


def _reach(measure: str, now: float) -> tuple[float, float]:
    """Smallest and largest value that a source with ``now`` can reach."""
    kind = measure.split(" ")[0]
    if kind in _ABSOLUTE:
        return _ABSOLUTE[kind]
    low, high = REACH[kind]
    return (low * now, high * now) if np.isfinite(now) else (0.0, inf)


def _target(measure: str, value: float) -> Target:
    unit = _UNITS.get(measure.split(" ")[0], "")
    return parse_target(f"{measure} {number_text(float(value))}{unit}")


def _possible(measure: str, value: float, others: Sequence[Target]) -> bool:
    """Whether a measure can be asked for beside other targets."""
    asked = _target(measure, value)
    try:
        check_together([*others, asked])
    except InputError:
        return False
    return True


def _chosen(logs: Array, chances: Array, u: float) -> int:
    """The real case at a share ``u`` of the chances.

    They are ordered along the direction in which the cohort varies most, so that evenly spread
    numbers give evenly spread cases.
    """
    centred = logs - logs.mean(axis=0)
    axis = np.linalg.svd(centred, full_matrices=False)[2][0]
    order = np.argsort(centred @ (axis * (1 if axis.sum() >= 0 else -1)), kind="stable")
    sums = np.cumsum(chances[order])
    return int(order[min(int(np.searchsorted(sums, u * sums[-1], "right")), len(order) - 1)])


def _ends(now: Mapping[str, float], names: Sequence[str]) -> Array:
    """(measures, 2): logarithms of the smallest and largest values that a source can reach."""
    return np.log([_reach(name, now[name]) for name in names])


def _with_kernel(logs: Array, place: int, source: np.random.Generator) -> Array:
    """The logarithms of a real case, moved a little as the cohort varies."""
    mean = logs.mean(axis=0)
    moved = (logs - mean) * (_KERNEL * source.standard_normal(len(logs))[:, None])
    noise = moved.sum(axis=0) / max(len(logs) - 1, 1) ** 0.5
    return np.asarray(mean + (1 - _KERNEL**2) ** 0.5 * (logs[place] - mean) + noise)
