"""What a run makes of a case: new cases (paper, Algorithm 3), or pairs (Algorithm 4)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from src_core.augment.layouts import LAYOUTS, PAIR_LAYOUTS
from src_core.augment.layouts.layout import Layout
from src_core.cases.point_set import PointSet
from src_core.generation import Options, Result, Session, Step, iterate
from src_core.generation.pairs import Pair, PairProgress, pair_steps
from src_core.generation.points import with_points

__all__ = ["CASES", "PAIRS", "Generated", "Product"]

_NUMBERS = (
    "level",
    "seed",
    "steps",
    "max_mm",
    "mean_mm",
    "max_percent",
    "min_det",
    "certified",
    "strict_folding_permille",
    "guard_scale",
    "inverse_error_voxels",
    "labels_lost",
    "labels_split",
)


Generated = Result | Pair


@dataclass(frozen=True)
class Product:
    """What a run makes.

    Attributes:
        name: of the run's file of facts, and its key there.
        noun: plural, for messages.
        draws: the deformations that are drawn, each with a level and seed of its own.
        layouts: layouts of their files; the first is the default, and holds the most.
        files: columns of the index that name files.
        numbers: columns of the index that are metrics.
    """

    name: str
    noun: str
    draws: tuple[str, ...]
    layouts: Mapping[str, Layout[Any]]
    files: tuple[str, ...]
    numbers: tuple[str, ...]

    def make(
        self, session: Session, options: tuple[Options, ...], points: Sequence[PointSet] = ()
    ) -> Iterator[tuple[int, int] | Generated]:
        """Steps (which, of how many), then what is made of a session's case, and of its points."""
        case, model = session.case, session.model
        making: Iterator[object]
        if len(options) == 1:
            making = iterate(case, model, options[0], session=session)
        else:
            first, second = options
            making = pair_steps(case, model, first, second, session, points)
        for value in making:
            if isinstance(value, Result):
                yield with_points(value, points)
            elif isinstance(value, Pair):
                yield value
            elif isinstance(value, Step | PairProgress):
                yield value.index, value.total


CASES = Product("augment", "new cases", ("",), LAYOUTS, ("image", "labels"), _NUMBERS)
PAIRS = Product(
    "pairs",
    "pairs",
    ("/moving", "/fixed"),
    PAIR_LAYOUTS,
    ("moving", "fixed", "displacement", "inverse", "moving-labels", "fixed-labels"),
    ("moving_level", "moving_seed", *_NUMBERS),
)
