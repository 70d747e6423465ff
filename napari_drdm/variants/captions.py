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
#: Pixels in which letters are drawn before they are made to fit voxels.
_DRAWN = 48

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
    height, width = (n * mm for n, mm in zip(shape, spacing, strict=True))
    letters = _letters(text)
    tall = min(
        height * (_WAITING if waiting else _THERE), width / letters.size[0] * letters.size[1]
    )
    wide = tall * letters.size[0] / letters.size[1]
    size = max(1, round(wide / spacing[1])), max(1, round(tall / spacing[0]))
    drawn = np.asarray(letters.resize(size, Image.Resampling.BOX)) > 100
    rows, columns = (min(n, m) for n, m in zip(drawn.shape, shape, strict=True))
    top, left = (
        ((shape[0] - rows) // 2, (shape[1] - columns) // 2) if waiting else (shape[0] // 40,) * 2
    )
    mask = np.zeros(shape, bool)
    place = mask[top : top + rows, left : left + columns]
    place[...] = drawn[: place.shape[0], : place.shape[1]]
    return mask, _around(mask) & ~mask


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
