"""Measures whose values in new cases are drawn from a range or a normal distribution.

``volume 3: 60..220 ml``, ``volume 3: 120+-30 ml``, ``thickness 2: x0.8..1.3``. Each value is asked
for as a target (``steering.targets``).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, Literal

from src_core.errors import InputError
from src_core.steering.amounts import NUMBER, number_text
from src_core.steering.targets import Target, parse_target

__all__ = ["SPREAD_FORM", "Spread", "even_numbers", "parse_spread", "parse_spreads", "rounded"]

#: How spreads are written in a shell.
SPREAD_FORM = "such as volume 3: 60..220 ml, volume 3: 120+-30 ml or thickness 2: x0.8..1.3"
#: Kinds of targets whose values can be drawn.
_KINDS = ("volume", "area", "ratio", "thickness", "roundness", "elongation")
_UNIT = r"[a-z]+2?"
#: Standard deviations to either side of a normal distribution's mean.
_WIDTH = 3.0
_DIGITS = 4


@dataclass(frozen=True)
class Spread:
    """A measure, and the distribution of its values in new cases.

    Attributes:
        measure: as targets name it, such as ``volume 3``.
        kind: uniform between two values, or normal, cut at three deviations.
        low, high: the two values; of a normal distribution mean and standard deviation.
        factor: whether values are factors of what the source has.
        unit: of values that are no factors.
    """

    measure: str
    kind: Literal["uniform", "normal"]
    low: float
    high: float
    factor: bool = False
    unit: str = ""

    @property
    def bounds(self) -> tuple[float, float]:
        """Smallest and largest value."""
        if self.kind == "uniform":
            return self.low, self.high
        return self.low - _WIDTH * self.high, self.low + _WIDTH * self.high

    def value(self, u: float, least: float, most: float) -> float:
        """The value at a share ``u``, 0 to 1, of the distribution between two possible values.

        Where the distribution has none of these, the possible one that is nearest.
        """
        low, high = self.bounds
        low, high = max(low, least), min(high, most)
        if low >= high:
            return min(max(self.bounds[0], least), most)
        if self.kind == "uniform":
            return low + u * (high - low)
        normal = NormalDist(self.low, self.high)
        first, last = normal.cdf(low), normal.cdf(high)
        found = normal.inv_cdf(min(max(first + u * (last - first), 1e-12), 1 - 1e-12))
        return min(max(found, low), high)

    def target(self, value: float) -> Target:
        """What asks for a value of this measure."""
        return parse_target(f"{self.measure} {self._amount(rounded(value))}")

    def __str__(self) -> str:
        """The spread as it is written."""
        between = ".." if self.kind == "uniform" else "+-"
        ends = between.join(map(number_text, (self.low, self.high)))
        unit = f" {self.unit}" if self.unit else ""
        return f"{self.measure}: {'x' if self.factor else ''}{ends}{unit}"

    def _amount(self, value: float) -> str:
        if self.factor:
            return f"x{number_text(value)}"
        return f"{number_text(value)} {self.unit}".strip()


def parse_spreads(given: object) -> Any:
    """Spreads of a text with ``;`` between them, of texts, or of spreads; else what is given.

    Raises:
        InputError: a text is no spread, or a measure is named twice.
    """
    if isinstance(given, str):
        given = [part for part in given.split(";") if part.strip()]
    if not isinstance(given, Iterable):
        return given
    spreads = tuple(parse_spread(one) if isinstance(one, str) else one for one in given)
    measures = [one.measure for one in spreads if isinstance(one, Spread)]
    if twice := {name for name in measures if measures.count(name) > 1}:
        raise InputError(f"{min(twice)} is named twice", option="spread", expected="once each")
    return spreads


def even_numbers(seed: int, case: str, index: int, count: int) -> list[float]:
    """``count`` numbers of 0 to 1 for a new case, those of all indices evenly spread.

    An additive recurrence with the powers of the generalised golden ratio (Roberts 2018, "The
    unreasonable effectiveness of quasirandom sequences"), begun at a digest of seed and case: new
    cases with other numbers, or of other sources, change nothing.
    """
    ratio = 2.0
    for _ in range(64):
        ratio = (1 + ratio) ** (1 / (count + 1))
    starts = [_start(f"{seed}/{case}/{k}") for k in range(count)]
    return [(start + index * ratio ** -(k + 1)) % 1.0 for k, start in enumerate(starts)]


def rounded(value: float) -> float:
    """A value that is short to write: four digits."""
    return float(f"{value:.{_DIGITS}g}")


def parse_spread(text: str) -> Spread:
    """A spread of a text such as ``volume 3: 60..220 ml``.

    Raises:
        InputError: it is not written so, or no target can have a value of it.
    """
    measure, colon, rest = (part.strip() for part in text.partition(":"))
    measure = " ".join(measure.split())
    found = re.fullmatch(rf"(x?)\s*({NUMBER})\s*(\.\.|\+-)\s*({NUMBER})\s*((?:{_UNIT})?)", rest)
    if not colon or found is None or measure.split(" ")[0] not in _KINDS:
        raise _unreadable(text, SPREAD_FORM)
    low, high = float(found[2]), float(found[4])
    kind: Literal["uniform", "normal"] = "uniform" if found[3] == ".." else "normal"
    if (kind == "uniform" and low >= high) or (kind == "normal" and high <= 0):
        raise _unreadable(text, "two values, the smaller one first, or mean+-deviation")
    spread = Spread(measure, kind, low, high, bool(found[1]), found[5])
    _check(text, spread)
    return spread


def _check(text: str, spread: Spread) -> None:
    """Refuse a spread with a value that no target can have."""
    ends = spread.bounds if spread.kind == "uniform" else (spread.low,)
    try:
        for end in ends:
            spread.target(end)
    except InputError as error:
        raise _unreadable(text, error.expected) from error


def _unreadable(text: str, expected: str) -> InputError:
    return InputError(f"the spread '{text}' is not possible", option="spread", expected=expected)


def _start(text: str) -> float:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") / 2**64
