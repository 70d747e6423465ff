"""Films as they are made: frames come bit by bit, so that a caller can show progress and stop."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from src_core.cases.case import Case
from src_core.cases.synthetic import SYNTHETIC
from src_core.drawing.animation import save_film
from src_core.drawing.lettering import fitted, line_height, write
from src_core.drawing.planes import choose_planes, cropped
from src_core.drawing.strips import PlaneStrip, below, beside, captioned
from src_core.inspection.options import PlaneOptions

__all__ = ["FilmStep", "film_of", "framed", "strip_of", "two_panels"]

_MARGIN, _GAP = 10, 14


@dataclass(frozen=True, eq=False)
class FilmStep:
    """Some of the work on a film.

    Attributes:
        done: pieces of work so far.
        total: of them in all.
        words: what was done.
        frames: that are ready, in order.
    """

    done: int
    total: int
    words: str
    frames: tuple[Image.Image, ...] = ()


def strip_of(source: Case, options: PlaneOptions, side: int) -> PlaneStrip:
    """How a case is drawn with these options.

    Raises:
        InputError: there are no such planes.
    """
    planes = choose_planes(source, options.at, options.planes)
    if options.crop == "labels":
        planes = cropped(planes, source)
    return PlaneStrip(source, planes, side)


def film_of(steps: Iterable[FilmStep], path: Path, fps: int) -> Iterator[FilmStep]:
    """The steps, without their frames; after the last the film is written.

    Raises:
        InputError: it cannot be written.
    """
    frames: list[Image.Image] = []
    for step in steps:
        frames += step.frames
        yield FilmStep(step.done, step.total, step.words)
    save_film(path, frames, fps)


def two_panels(strip: PlaneStrip, left: Image.Image, right: Image.Image) -> Image.Image:
    """Two titled pictures beside each other; of three planes one above the other."""
    return (beside if len(strip.planes) == 1 else below)([left, right], _GAP)


def framed(picture: Image.Image, title: str) -> Image.Image:
    """A frame of a film: margins, the film's title and the notice that it is synthetic."""
    size = 13 if picture.width < 500 else 15
    bottom = line_height(size)
    inside = picture.width
    whole = Image.new("RGB", (inside + 2 * _MARGIN, picture.height + bottom + 2 * _MARGIN), "white")
    whole.paste(picture, (_MARGIN, _MARGIN // 2))
    y = whole.height - _MARGIN
    right = _MARGIN + inside
    write(whole, (right, y), SYNTHETIC, size - 2, "#a04000", anchor="rs")
    room = inside - 24 - _width(SYNTHETIC, size - 2)
    write(whole, (_MARGIN, y), fitted(title, room, size - 2), size - 2, "#555555")
    return whole


def titled(picture: Image.Image, title: str) -> Image.Image:
    """A panel with its title."""
    size = 15 if picture.width >= 240 else 12
    return captioned(picture, fitted(title, picture.width, size, bold=True), size=size)


def _width(text: str, size: int) -> float:
    from src_core.drawing.lettering import text_width

    return text_width(text, size)
