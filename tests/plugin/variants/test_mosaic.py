"""A mosaic is what NumPy makes of its tiles, whatever is read of it; words on it are upright."""

from __future__ import annotations

import numpy as np
import pytest

from napari_drdm.variants.captions import caption, write
from napari_drdm.variants.mosaic import Mosaic

SHAPE, GAPS = (4, 5, 7), (2, 1)


def filled(axes=(-2, -1), flips=(False, False), missing=()) -> tuple[Mosaic, np.ndarray]:
    """A mosaic, and the same put together by NumPy."""
    rng = np.random.default_rng(0)
    mosaic = Mosaic(SHAPE, np.dtype(np.int16), axes, GAPS, empty=7, between=-1, flips=flips)
    rows = []
    for row in range(3):
        line = []
        for column in range(3):
            place = 3 * row + column
            tile = rng.integers(10, 99, SHAPE).astype(np.int16)
            if place in missing:
                tile = np.full(SHAPE, 7, np.int16)
            else:
                mosaic.tiles[place] = tile
            line.append(tile)
        rows.append(line[::-1] if flips[1] else line)
    rows = rows[::-1] if flips[0] else rows
    widths = [[(0, 0)] * 3 for _ in range(2)]
    for width, axis, gap in zip(widths, axes, GAPS, strict=True):
        width[axis] = (0, gap)

    def joined(parts, which):
        padded = [np.pad(p, widths[which], constant_values=-1) for p in parts[:-1]]
        return np.concatenate([*padded, parts[-1]], axis=axes[which])

    return mosaic, joined([joined(line, 1) for line in rows], 0)


@pytest.mark.parametrize("axes", [(-2, -1), (-1, -2), (-3, -1), (-3, -2)])
@pytest.mark.parametrize("flips", [(False, False), (True, False), (False, True)])
def test_every_read_is_that_of_the_whole_array(axes, flips):
    mosaic, whole = filled(axes, flips, missing=(1, 8))
    assert mosaic.shape == whole.shape and mosaic.ndim == 3 and len(mosaic) == len(whole)
    assert np.array_equal(np.asarray(mosaic), whole) and np.asarray(mosaic).dtype == np.int16
    every = slice(None)
    for key in (
        (1, every, every),
        (every, 2, every),
        (slice(1, 2), every, every),
        (slice(0, 3, 2), slice(1, 4), every),
        (2, 3, 4),
        (..., 3),
        (-1,),
        slice(1, 3),
        (every, slice(2, None), 1),
    ):
        assert np.array_equal(mosaic[key], whole[key]), key


def test_nothing_is_copied_before_it_is_read():
    mosaic, _ = filled()
    mosaic.tiles[4][2] = 0
    row, column = mosaic.corner(4)
    assert not mosaic[2, row : row + SHAPE[1], column : column + SHAPE[2]].any()


@pytest.mark.parametrize("waiting", [True, False])
def test_words_lie_inside_their_tile(waiting):
    ink, around = caption("S12 L48", (240, 360), (1.0, 2.0), waiting)
    rows, columns = np.nonzero(ink)
    assert ink.sum() > 40 and not (ink & around).any()
    middle = (rows.min() + rows.max()) / 2, (columns.min() + columns.max()) / 2
    if waiting:
        assert middle == pytest.approx((120, 180), abs=2)
    else:
        assert rows.max() < 48 and columns.max() < 180
    height, width = np.ptp(rows) * 1.0, np.ptp(columns) * 2.0  # mm
    square = caption("S12 L48", (240, 240), (1.0, 1.0), waiting)[0]
    rows, columns = np.nonzero(square)
    assert width / height == pytest.approx(np.ptp(columns) / np.ptp(rows), rel=0.25)


def test_words_of_an_image_that_runs_backwards_are_upright_on_view():
    text = caption("S1", (40, 60), (1.0, 1.0), True)
    plain, turned = np.zeros((2, 40, 60))
    write(plain, text, 2, 1, (False, False))
    write(turned, text, 2, 1, (True, True))
    assert set(np.unique(plain)) == {0, 1, 2} and not np.array_equal(plain, turned)
    assert np.array_equal(turned[::-1, ::-1], plain)


def test_words_on_coarse_rows_are_large_enough_to_be_read_or_left_out():
    waits, there = (caption("S1 L30", (10, 240), (8.0, 1.4), w)[0] for w in (True, False))
    assert np.ptp(np.nonzero(waits)[0]) + 1 == 7 and not there.any()


@pytest.mark.parametrize("shape", [(1, 1), (3, 200), (200, 3)])
def test_a_tile_too_small_for_words_is_no_error(shape):
    ink, around = caption("S1 L30", shape, (1.0, 1.0), True)
    assert ink.shape == around.shape == shape
