"""Levels of an evaluation: one number, or a range from which each seed draws its level."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

from src_core.errors import InputError
from src_core.errors.options import TextForm

__all__ = ["Level", "checked_range", "drawn_level", "level_bounds", "level_order", "levels_form"]

#: ``48``, or ``"30:70"``.
Level = int | str

_FORM = "whole numbers of 1 or more or ranges such as 30:70, separated by commas"


def level_bounds(level: Level) -> tuple[int, int]:
    """Lowest and highest."""
    if isinstance(level, int):
        return level, level
    low, high = level.split(":")
    return int(low), int(high)


def level_order(level: Level) -> tuple[int, int]:
    """What levels and ranges are sorted by: the highest, then the lowest."""
    return level_bounds(level)[::-1]


def drawn_level(level: Level, seed: int, code: int) -> int:
    """The level of one seed and case: of a range, uniform, by seed and case alone."""
    low, high = level_bounds(level)
    digest = hashlib.sha256(f"{seed}/{code}".encode()).digest()
    return low + int.from_bytes(digest[:8], "big") % (high - low + 1)


def checked_range(text: str) -> str:
    """A range of levels as it is written.

    Raises:
        InputError: it is not written so.
    """
    found = re.fullmatch(r"(\d+):(\d+)", text)
    if not found or not 1 <= int(found[1]) <= int(found[2]):
        raise InputError(f"{text} is not possible", option="levels", expected=_FORM)
    return f"{int(found[1])}:{int(found[2])}"


def levels_form() -> TextForm:
    """Levels and ranges separated by commas."""

    def parse(text: str) -> tuple[Level, ...]:
        return tuple(_parsed(word.strip()) for word in text.split(","))

    def write(levels: Sequence[Level]) -> str:
        return ",".join(map(str, levels))

    return TextForm(parse, write, _FORM)


def _parsed(word: str) -> Level:
    return int(word) if re.fullmatch(r"-?\d+", word) else checked_range(word)
