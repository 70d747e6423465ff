"""How many questions a reader test needs: ``python -m src_core.tasks.reader.power``.

For one reader and kind: the mean width of the exact 95 % interval where readers guess, and the
smallest accuracy that a two-sided exact test at 5 % tells from guessing four times out of five.
"""

from __future__ import annotations

from math import nan

import numpy as np
from scipy.optimize import brentq
from scipy.stats import binom

from src_core.tasks.reader.statistics import CONFIDENCE, chance_p, proportion_interval

__all__ = ["detectable", "mean_width", "power_table"]

_NUMBERS = (10, 20, 30, 40, 50, 75, 100, 150, 200, 400)
_POWER = 0.8


def mean_width(total: int, accuracy: float = 0.5) -> float:
    """Mean width of the exact interval of a reader's accuracy over that many questions."""
    counts = np.arange(total + 1)
    ends = np.array([proportion_interval(int(count), total) for count in counts])
    return float(binom.pmf(counts, total, accuracy) @ (ends[:, 1] - ends[:, 0]))


def detectable(total: int, power: float = _POWER) -> float:
    """Smallest accuracy that is told from guessing with this probability; NaN where none is."""
    upper = range(total // 2 + 1, total + 1)
    least = next((count for count in upper if chance_p(count, total) <= 1 - CONFIDENCE), 0)
    if not least:
        return nan
    return float(brentq(lambda share: binom.sf(least - 1, total, share) - power, 0.5, 1.0))


def power_table(numbers: tuple[int, ...] = _NUMBERS) -> str:
    """A table in Markdown, a row for each number of questions."""
    lines = ["| questions | mean interval at 50 % | told from guessing |", "| --- | --- | --- |"]
    for total in numbers:
        half = 50 * mean_width(total)
        lines.append(f"| {total} | ± {half:.0f} points | {100 * detectable(total):.0f} % |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(power_table(), end="")
