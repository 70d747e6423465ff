"""The planes of one case side by side, all at one scale, with the directions at their edges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from src_core.cases.case import Case
from src_core.drawing.lettering import line_height, write
from src_core.drawing.planes import DrawnPlane
from src_core.drawing.tiles import intensity_window, label_colours, tile

__all__ = ["PlaneStrip", "PlaneValues", "below", "beside", "captioned"]

#: Values and labels of a plane, (rows, columns).
PlaneValues = tuple[NDArray[Any], NDArray[Any] | None]

_GAP = 4
_INK, _FAINT = "#222222", "#666666"


@dataclass(frozen=True)
class PlaneStrip:
    """How the planes of a source and of what is made of it are drawn: all alike.

    Attributes:
        source: whose intensities and labels decide contrast and colours.
        planes: that are drawn, from left to right.
        side: pixels of the longest side of a plane.
    """

    source: Case
    planes: tuple[DrawnPlane, ...]
    side: int = 320

    @cached_property
    def window(self) -> tuple[float, float]:
        """Values that are black and white."""
        return intensity_window(self.source)

    @cached_property
    def colours(self) -> dict[int, str]:
        """Of the labels."""
        return label_colours(self.source.label_map)

    @property
    def scale(self) -> float:
        """Pixels per mm."""
        return self.side / max(mm for plane in self.planes for mm in plane.size)

    def of_case(self, case: Case, frame: int = 0, letters: bool = False) -> Image.Image:
        """A case on the source's grid."""
        labels = case.label_map
        values = [
            (p.values(case.image, frame), None if labels is None else p.values(labels, frame))
            for p in self.planes
        ]
        return self.of_values(values, letters)

    def of_values(self, values: Sequence[PlaneValues], letters: bool = False) -> Image.Image:
        """Values and labels of each plane; ``letters`` are the directions at the edges."""
        tiles = [
            tile(v, labels, plane, self.scale, self.window, self.colours, self._line)
            for (v, labels), plane in zip(values, self.planes, strict=True)
        ]
        if letters:
            for one, plane in zip(tiles, self.planes, strict=True):
                _letter(one, plane.ends)
        return beside(tiles, _GAP)

    @property
    def _line(self) -> float:
        return max(1.2, self.side / 200)


def beside(pictures: Sequence[Image.Image], gap: int, colour: str = "white") -> Image.Image:
    """Pictures next to each other, their middles at one height."""
    height = max(picture.height for picture in pictures)
    width = sum(picture.width for picture in pictures) + gap * (len(pictures) - 1)
    whole, x = Image.new("RGB", (width, height), colour), 0
    for picture in pictures:
        whole.paste(picture, (x, (height - picture.height) // 2))
        x += picture.width + gap
    return whole


def below(pictures: Sequence[Image.Image], gap: int, colour: str = "white") -> Image.Image:
    """Pictures one under the other, at the left."""
    width = max(picture.width for picture in pictures)
    height = sum(picture.height for picture in pictures) + gap * (len(pictures) - 1)
    whole, y = Image.new("RGB", (width, height), colour), 0
    for picture in pictures:
        whole.paste(picture, (0, y))
        y += picture.height + gap
    return whole


def captioned(picture: Image.Image, title: str, note: str = "", size: int = 15) -> Image.Image:
    """A picture with a title above it and a smaller line below it."""
    above, under = line_height(size) + 4, line_height(size - 3) + 2 if note else 0
    whole = Image.new("RGB", (picture.width, picture.height + above + under), "white")
    whole.paste(picture, (0, above))
    write(whole, (0, above - size // 2), title, size, _INK, bold=True)
    if note:
        write(whole, (0, above + picture.height + size), note, size - 3, _FAINT)
    return whole


def _letter(picture: Image.Image, ends: str) -> None:
    """Directions at the left, right, top and bottom edge, readable on any grey."""
    width, height = picture.size
    size = int(np.clip(height // 20, 12, 40))
    places = ((3, height / 2, "lm"), (width - 3, height / 2, "rm"),
              (width / 2, 2, "mt"), (width / 2, height - 3, "mb"))  # fmt: skip
    for letter, (x, y, anchor) in zip(ends, places, strict=False):
        write(picture, (x, y), letter, size, "white", anchor=anchor, halo="black")
