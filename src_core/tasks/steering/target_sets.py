"""Sets of targets that one run asks for together, as text: ``volume 3 x1.3 & hold 1``.

Besides targets there are two forms whose places depend on the case and the seed: ``place 3 6 mm``
is a shift in some direction, and ``drag 2 8 mm`` pulls a point of a label's outline outwards while
three others stay.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from src_core.errors import InputError
from src_core.steering.amounts import NUMBER
from src_core.steering.contradictions import check_together
from src_core.steering.targets import Target, parse_target

__all__ = [
    "SETS_FORM",
    "SeededForm",
    "TargetSet",
    "default_sets",
    "parse_sets",
    "read_sets",
    "sets_text",
]

#: How sets are written in a shell.
SETS_FORM = (
    "such as volume 3 x1.3, several at once with & (volume 3 x1.3 & hold 1), place 3 6 mm (some "
    "direction) or drag 2 8 mm (a point, three others stay)"
)
_SEEDED = re.compile(rf"(place|drag) ([1-9]\d*) ({NUMBER}) mm")
_CAVITY = ("x0.7", "x0.85", "x1.2", "x1.4")
_WALL, _OTHER = ("x0.8", "x1.25"), ("x0.75", "x1.3")


@dataclass(frozen=True)
class SeededForm:
    """A shift or a drag whose direction is decided by case and seed.

    Attributes:
        kind: of the two.
        label: whose centre, or outline.
        mm: how far.
    """

    kind: str
    label: int
    mm: float


@dataclass(frozen=True)
class TargetSet:
    """What one run asks for.

    Attributes:
        words: as it was written, a name in tables.
        parts: targets, and forms that become targets for a case and seed; the first is the one
            whose error is reported.
    """

    words: str
    parts: tuple[Target | SeededForm, ...]

    def __str__(self) -> str:
        """The set as it is written."""
        return self.words

    @classmethod
    def parse(cls, text: str) -> TargetSet:
        """A set of a text.

        Raises:
            InputError: it is no set of targets, or they contradict each other.
        """
        lines = [" ".join(part.split()) for part in text.split("&")]
        parts = tuple(map(_part, lines))
        check_together([part for part in parts if isinstance(part, Target)])
        return cls(" & ".join(lines), parts)

    @property
    def labels(self) -> set[int]:
        """Labels that have to be there."""
        forms = {part.label for part in self.parts if isinstance(part, SeededForm)}
        return forms | {v for part in self.parts if isinstance(part, Target) for v in part.labels}


def parse_sets(given: object) -> object:
    """Sets of a text with ``;`` between them, of texts, or of sets; else what is given.

    Raises:
        InputError: as ``TargetSet.parse``.
    """
    if isinstance(given, str):
        given = [part for part in given.split(";") if part.strip()]
    if not isinstance(given, Iterable):
        return given
    found = [TargetSet.parse(one) if isinstance(one, str) else one for one in given]
    return tuple({one.words: one for one in found if isinstance(one, TargetSet)}.values())


def sets_text(sets: Sequence[TargetSet]) -> str:
    """Sets as ``parse_sets`` reads them."""
    return "; ".join(one.words for one in sets)


def read_sets(path: Path) -> tuple[TargetSet, ...]:
    """The sets of a file, one a line; empty lines and those that begin with # are left out.

    Raises:
        InputError: the file cannot be read, or a line is no set.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            "the targets cannot be read", where=str(path), expected="a text file, a set a line"
        ) from error
    kept = [line.strip() for line in lines if line.strip() and not line.strip().startswith("#")]
    return tuple(TargetSet.parse(line) for line in dict.fromkeys(kept))


def default_sets(labels: Sequence[int], walls: Mapping[int, int]) -> tuple[TargetSet, ...]:
    """Sets for a data set: sizes of each label, thickness of walls, a shift and a drag.

    Args:
        labels: values, background left out.
        walls: wall -> the label that it encloses.
    """
    cavities = [v for v in labels if v in walls.values()] or list(labels)
    others = [v for v in labels if v not in cavities and v not in walls]
    lines = [f"volume {v} {by}" for v in cavities for by in _CAVITY]
    lines += [f"volume {v} {by}" for v in walls for by in _WALL]
    lines += [f"volume {v} {by}" for v in others for by in _OTHER]
    lines += [f"thickness {v} +2 mm" for v in walls]
    if held := others or cavities[1:]:
        lines.append(f"volume {cavities[0]} x1.3 & hold {held[0]}")
    lines.append(f"place {cavities[0]} 6 mm")
    lines.append(f"drag {next(iter(walls), cavities[0])} 8 mm")
    return tuple(map(TargetSet.parse, lines))


def _part(line: str) -> Target | SeededForm:
    if found := _SEEDED.fullmatch(line):
        if float(found[3]) <= 0:
            raise InputError(f"'{line}' moves nothing", option="targets", expected="more than 0 mm")
        return SeededForm(found[1], int(found[2]), float(found[3]))
    return parse_target(line)
