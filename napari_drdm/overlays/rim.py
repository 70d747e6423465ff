"""The thumbnail of determinants in the layer list, without a false rim of folds.

napari samples it past the last row or column of some images, where it takes zeros for data.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from napari.layers import Image

__all__ = ["keep_rim_true"]

_SHORTEST = 4


def keep_rim_true(layer: Image) -> Image:
    """The layer, whose thumbnail ends with its own colours from now on."""
    layer.events.thumbnail.connect(_mend)
    _mend_picture(layer)
    return layer


def _mend(event: Any) -> None:
    _mend_picture(event.source)


def _mend_picture(layer: Image) -> None:
    before = layer.thumbnail
    picture = np.array(before)
    for rows in (picture, picture.transpose(1, 0, 2)):
        end = _false_row(rows)
        if end:
            rows[end] = rows[end - 1]
    if not np.array_equal(picture, before):
        layer.thumbnail = picture


def _false_row(picture: NDArray[np.uint8]) -> int:
    """The last row if it is one line of folds from end to end, or 0; (rows, columns, RGBA)."""
    red, green, blue = np.moveaxis(picture[..., :3], -1, 0)
    folds = (red > 0) & (green == 0) & (red == blue)
    end = int(np.flatnonzero(picture[..., :3].any((1, 2))).max(initial=0))
    at = np.flatnonzero(folds[end])
    across = len(at) >= _SHORTEST and at[-1] - at[0] + 1 == len(at)
    centred = across and abs(at[0] + at[-1] - (picture.shape[1] - 1)) <= 1
    return end if centred else 0
