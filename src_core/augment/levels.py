"""Levels of new cases and their draws, each a digest of (seed, case, index) and nothing else."""

from __future__ import annotations

import hashlib
import math
import re
from bisect import bisect
from collections.abc import Mapping
from itertools import accumulate

from src_core.errors import InputError

__all__ = ["Levels", "bounds", "draw", "levels_text", "parse_distribution", "parse_levels"]

#: Lowest and highest, drawn uniformly; or the weight of each level.
Levels = tuple[int, int] | Mapping[int, float]

_SEEDS = 31
_WIDTH = 3  # standard deviations to either side


def draw(seed: int, case: str, index: int, levels: Levels, attempt: int = 0) -> tuple[int, int]:
    """Level, and the generation's seed, 31 bits; a further attempt keeps the level."""
    digest = _digest(f"{seed}/{index}/{case}")
    level = _pick(levels, int.from_bytes(digest[:8], "big"))
    if attempt:
        digest = _digest(f"{seed}/{index}.{attempt}/{case}")
    return level, int.from_bytes(digest[8:16], "big") >> (64 - _SEEDS)


def bounds(levels: Levels) -> tuple[int, int]:
    """Lowest and highest."""
    return (min(levels), max(levels)) if isinstance(levels, Mapping) else levels


def parse_levels(text: str, option: str = "levels") -> tuple[int, int]:
    """``30:70`` as (30, 70); ``48`` as (48, 48).

    Raises:
        InputError: it is no range of levels.
    """
    found = re.fullmatch(r"(\d+)(?::(\d+))?", text.strip())
    low, high = (int(found[1]), int(found[2] or found[1])) if found else (1, 0)
    if low > high:
        raise InputError(
            f"{text} is not possible", option=option, expected="lowest:highest, such as 30:70"
        )
    return low, high


def parse_distribution(text: str, option: str = "levels") -> Levels:
    """A range as ``parse_levels`` has it; ``30,45=2,60`` and ``50~6`` as the weight of each level.

    Raises:
        InputError: it is no range, list or normal distribution.
    """
    text = text.replace(" ", "")
    if found := re.fullmatch(r"(\d+)~(\d+(?:\.\d+)?)", text):
        return _normal(int(found[1]), float(found[2]))
    if re.fullmatch(r"\d+(=\d+(\.\d+)?)?(,\d+(=\d+(\.\d+)?)?)+", text):
        pairs = [word.partition("=") for word in text.split(",")]
        weights = {int(level): float(weight or 1) for level, _, weight in pairs}
        if sum(weights.values()) > 0:
            return weights
    return parse_levels(text, option)


def levels_text(levels: Levels) -> str:
    """Levels as ``parse_distribution`` reads them."""
    if isinstance(levels, Mapping):
        return ",".join(f"{level}={weight:g}" for level, weight in levels.items())
    return ":".join(map(str, levels))


def _normal(mean: int, deviation: float) -> dict[int, float]:
    """Weights of a normal distribution, cut at three deviations and at level 1."""
    reach = round(_WIDTH * deviation)
    near = range(max(1, mean - reach), mean + reach + 1)
    return {n: math.exp(-(((n - mean) / max(deviation, 1e-9)) ** 2) / 2) for n in near}


def _pick(levels: Levels, drawn: int) -> int:
    if not isinstance(levels, Mapping):
        return levels[0] + drawn % (levels[1] - levels[0] + 1)
    ordered = sorted(levels)
    sums = list(accumulate(levels[level] for level in ordered))
    return ordered[min(bisect(sums, drawn / 2**64 * sums[-1]), len(ordered) - 1)]


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
