"""How much is asked for: ``x1.3``, ``+2 mm``, ``80 ml``, ``60..220 ml``; how exactly: ``~5%``."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Literal

__all__ = ["NUMBER", "Amount", "AmountKind", "Tolerance", "number_text"]

AmountKind = Literal["times", "plus", "value"]

NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?"
_UNIT = r"(?:%|[a-z]+2?)"


@dataclass(frozen=True)
class Amount:
    """A factor, a difference, a value, or anything between two values.

    Attributes:
        kind: of what there is now ("times"), more than that ("plus"), or by itself ("value").
        low, high: the same number but for a range.
        unit: of a difference or value; none for factors and plain numbers.
    """

    kind: AmountKind
    low: float
    high: float
    unit: str = ""

    @property
    def is_range(self) -> bool:
        """Whether more than one value will do."""
        return self.low < self.high

    def bounds(self, now: float) -> tuple[float, float]:
        """Smallest and largest value that is asked for, where the source has ``now``."""
        if self.kind == "times":
            return self.low * now, self.high * now
        if self.kind == "plus":
            return self.low + now, self.high + now
        return self.low, self.high

    def __str__(self) -> str:
        """The amount as it is written."""
        unit = f" {self.unit}" if self.unit else ""
        if self.kind == "times":
            return f"x{number_text(self.low)}"
        if self.kind == "plus":
            return ("+" if self.low >= 0 else "") + number_text(self.low) + unit
        ends = [self.low, self.high] if self.is_range else [self.low]
        return "..".join(map(number_text, ends)) + unit

    @classmethod
    def parse(cls, text: str) -> Amount | None:
        """The amount of a text; None where it is not written so."""
        if found := re.fullmatch(rf"x\s*({NUMBER})", text):
            return cls("times", float(found[1]), float(found[1]))
        if found := re.fullmatch(rf"({NUMBER})\.\.({NUMBER})\s*({_UNIT}?)", text):
            low, high = float(found[1]), float(found[2])
            return cls("value", low, high, found[3]) if low <= high else None
        if found := re.fullmatch(rf"({NUMBER})\s*({_UNIT}?)", text):
            kind: AmountKind = "plus" if found[1][0] in "+-" else "value"
            return cls(kind, float(found[1]), float(found[1]), found[2])
        return None


@dataclass(frozen=True)
class Tolerance:
    """How far from what is asked for is near enough.

    Attributes:
        value: a number above 0.
        unit: ``%`` of what is asked for, or the target's own.
    """

    value: float
    unit: str = ""

    def width(self, asked: float) -> float:
        """The same in the target's unit."""
        return self.value / 100 * abs(asked) if self.unit == "%" else self.value

    def __str__(self) -> str:
        """The tolerance as it is written, after ``~``."""
        return number_text(self.value) + ("%" if self.unit == "%" else f" {self.unit}".rstrip())


def number_text(number: float) -> str:
    """The shortest text that is read as the same number."""
    return str(int(number)) if number == math.floor(number) and abs(number) < 1e15 else repr(number)
