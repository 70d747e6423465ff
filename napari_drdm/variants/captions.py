"""Words in an image of voxels: where a text covers a tile, upright and undistorted on view."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

__all__ = ["Caption", "caption", "write"]

#: Height of letters as a share of a tile: of one that waits, and of one that is there.
_WAITING, _THERE = 0.16, 0.07
#: The most of a tile that they cover: of its height, and of its width.
_MOST_WAITING, _MOST_THERE, _WIDEST = 0.7, 0.25, 0.85
#: Rows of voxels that letters need.
_LEGIBLE = 7
#: Pixels in which letters are drawn before they are made to fit voxels, and their shade there.
_DRAWN, _INK = 48, 100

#: Where a text covers a tile, (rows, columns) bool, and where its shadow does.
Caption = tuple[NDArray[np.bool_], NDArray[np.bool_]]


@lru_cache(maxsize=64)
def caption(
    text: str, shape: tuple[int, int], spacing: tuple[float, float], waiting: bool
) -> Caption:
    """Where a text covers a tile: in the middle of one that waits, else in the upper left corner.

    Args:
        shape: rows and columns of the tile.
        spacing: mm between them.
    """
    letters = _letters(text)
    size = _size(letters.size, shape, spacing, waiting)
    mask = np.zeros(shape, bool)
    if min(size) > 0:
        rows, columns = size
        drawn = np.asarray(letters.resize((columns, rows), Image.Resampling.BOX)) > _INK
        top, left = (shape[0] - rows) // 2, (shape[1] - columns) // 2
        if not waiting:
            top = left = min(top, left, shape[0] // 40)
        mask[top : top + rows, left : left + columns] = drawn
    return mask, _around(mask) & ~mask


def _size(
    letters: tuple[int, int], shape: tuple[int, int], spacing: tuple[float, float], waiting: bool
) -> tuple[int, int]:
    """Rows and columns of a text: as many as can be read; none where they would cover too much."""
    share, most = (_WAITING, _MOST_WAITING) if waiting else (_THERE, _MOST_THERE)
    rows = max(round(shape[0] * share), _LEGIBLE)
    if rows > shape[0] * most:
        rows = int(shape[0] * most) if waiting else 0
    columns = round(rows * spacing[0] * letters[0] / letters[1] / spacing[1])
    widest = int(_WIDEST * shape[1])
    if columns > widest:
        rows, columns = max(round(rows * widest / columns), min(rows, _LEGIBLE)), widest
    return rows, columns


def write(
    tile: NDArray[np.generic], text: Caption, ink: float, shadow: float, flips: Sequence[bool]
) -> None:
    """Write a text into a tile (rows, columns) whose rows or columns may run backwards on view."""
    seen = tile[:: -1 if flips[0] else 1, :: -1 if flips[1] else 1]
    for mask, value in zip(text[::-1], (shadow, ink), strict=True):
        seen[mask] = value


@lru_cache(maxsize=64)
def _letters(text: str) -> Image.Image:
    font = ImageFont.load_default(_DRAWN)
    left, top, right, bottom = font.getbbox(text)
    picture = Image.new("L", (max(1, int(right - left)), max(1, int(bottom - top))))
    ImageDraw.Draw(picture).text((-left, -top), text, fill=255, font=font)
    return picture


def _around(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The mask and its neighbours."""
    wide = np.pad(mask, 1)
    rows, columns = mask.shape
    return np.logical_or.reduce(
        [wide[r : r + rows, c : c + columns] for r in range(3) for c in range(3)]
    )
