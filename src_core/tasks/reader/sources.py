"""What each picture of a test is made from: kind, case, slice and seed, without knowing readers.

The images of a question belong to different subjects, where there are several. A case that comes
again shows another slice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from src_core.datasets.reading import Entry, balanced
from src_core.tasks.reader.options import REAL, PictureKind, ReaderRequest
from src_core.tasks.reader.plan import Question

__all__ = ["PictureSource", "plan_sources"]


@dataclass(frozen=True)
class PictureSource:
    """One picture and what it is made from.

    Attributes:
        kind: what it shows.
        entry: the case.
        turn: how often the case was used before; it then shows another slice.
        seed: of its random numbers.
        made: whether it is deformed here; otherwise its file shows its kind already.
        mean_mm: of an elastic deformation, the mean length over the image; None to match that
            of the model for the same case and seed.
        name: of the picture, once questions are in their order.
    """

    kind: PictureKind
    entry: Entry
    turn: int
    seed: int
    made: bool
    mean_mm: float | None = None
    name: str = ""


def plan_sources(
    request: ReaderRequest,
    pools: Mapping[PictureKind, Sequence[Entry]],
    means: Mapping[str, float],
) -> list[tuple[Question, tuple[PictureSource, ...]]]:
    """Questions in the order of their names, each with the sources of its pictures.

    Args:
        request: how many of which kinds.
        pools: real cases, and those of kinds whose images exist already.
        means: mean displacement in mm of generated images that exist, by their names.
    """
    source = np.random.default_rng(request.seed)
    drawn = list(_drawn(request, {k: _Pool(e, source) for k, e in pools.items()}, means))
    turned = source.permutation(np.arange(len(drawn)) % 2)
    digits = max(3, len(str(len(drawn))))
    found = []
    for number, index in enumerate(source.permutation(len(drawn)), start=1):
        pictures = drawn[index][:: -1 if turned[index] else 1]
        question = Question(f"{number:0{digits}d}", len(pictures))
        names = [question.picture(letter) for letter in question.letters]
        named = (replace(p, name=name) for p, name in zip(pictures, names, strict=True))
        found.append((question, tuple(named)))
    return found


class _Pool:
    """Cases that take turns, in a new random order each time, so that no kind gets some of them.

    All subjects come with one case each, before any comes with another.
    """

    def __init__(self, entries: Sequence[Entry], source: np.random.Generator) -> None:
        order, subjects = balanced(entries, None), len({e.subject for e in entries})
        self._rounds = [order[i : i + subjects] for i in range(0, len(order), subjects)]
        self._source, self._waiting, self._used = source, list[Entry](), Counter[Entry]()

    def take(self, other_than: str = "") -> tuple[Entry, int]:
        """The next case, of another subject where there is one, and how often it came before."""
        entry = self._next(other_than)
        self._waiting.remove(entry)
        self._used[entry] += 1
        return entry, self._used[entry] - 1

    def _next(self, other_than: str) -> Entry:
        for _ in range(2):
            for entry in self._waiting:
                if entry.subject != other_than:
                    return entry
            some = self._rounds.pop(0)
            self._rounds.append(some)
            self._waiting += [some[i] for i in self._source.permutation(len(some))]
        return self._waiting[0]


def _drawn(
    request: ReaderRequest, pools: Mapping[PictureKind, _Pool], means: Mapping[str, float]
) -> Iterator[tuple[PictureSource, ...]]:
    for number in range(request.questions):
        seed, mean = request.seed + number, None
        if request.mode == "score":
            yield (_source(REAL, pools, seed),)
        for kind in sorted(request.kinds, key=lambda k: k != "generated"):
            shown = _source(kind, pools, seed, mean)
            mean = means.get(shown.entry.name) if kind == "generated" else mean
            if request.mode == "score":
                yield (shown,)
            else:
                yield shown, _source(REAL, pools, seed, other_than=shown.entry.subject)


def _source(
    kind: PictureKind,
    pools: Mapping[PictureKind, _Pool],
    seed: int,
    mean_mm: float | None = None,
    other_than: str = "",
) -> PictureSource:
    made = kind not in pools or kind == REAL
    entry, turn = pools[REAL if made else kind].take(other_than)
    return PictureSource(kind, entry, turn, seed, made, mean_mm)
