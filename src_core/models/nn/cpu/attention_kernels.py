"""Self-attention of a recovery network as compiled loops; images are those of ``kernels``."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from src_core.fields.kernels.compiled import helper, kernel
from src_core.models.nn.cpu.emitter import LANES, address
from src_core.models.nn.cpu.kernels import group_norm
from src_core.models.nn.cpu.vector_code import dense, exp_row

__all__ = ["attend", "attention_space"]

Array = NDArray[np.float32]
_IMAGE, _LINE, _SUMS = "float32[:,:,:,::1]", "float32[::1]", "float64[::1]"


def attention_space(count: int, channels: int, heads: int) -> int:
    """Floats of working space that ``attend`` takes for ``count`` voxels."""
    width = channels // heads
    wide = (width + 15) // 16 * 16
    return 5 * count * channels + count * (count + 2 * wide + width) + max(count, wide) + 1


@helper
def _vectors(channels: int) -> int:
    """Vectors of channels that one product computes."""
    count = channels // LANES
    return 3 if count % 3 == 0 else 2 if count % 2 == 0 else 1


@helper
def _pack(
    room: Array, first: int, step: int, shape: tuple[int, int], outputs: int, along: bool, to: int
) -> None:
    """Values, ``step`` from row to row, as weights of a product: rows are its inputs or outputs."""
    rows, columns = shape
    inputs, block = columns if along else rows, _vectors(outputs) * LANES
    for n in range(rows):
        for c in range(columns):
            i, o = (c, n) if along else (n, c)
            room[to + o // block * block * inputs + i * block + o % block] = room[
                first + n * step + c
            ]


@helper
def _exponentials(room: Array, shares: int, count: int, most: int) -> None:
    """Of every row of (n, n) values: exp(value - largest), in place; ``most`` is space for one."""
    for row in range(shares, shares + count * count, count):
        room[most] = room[row]
        for n in range(row, row + count):
            if room[n] > room[most]:
                room[most] = room[n]
        exp_row((address(room, row), address(room, most), count))


@helper
def _divide(
    room: Array, shares: int, count: int, found: int, step: int, to: int, space: tuple[int, int]
) -> None:
    """Values (n, width) divided by the sum of their shares, into a table; both by row steps."""
    width, channels = space
    for n in range(count):
        total = 0.0
        for m in range(count):
            total += room[shares + n * count + m]
        for c in range(width):
            room[to + n * channels + c] = room[found + n * step + c] / total


@kernel(
    f"void({_IMAGE}, int64, float32[:,::1], int64, int64, {_LINE}, {_LINE}, {_LINE}, {_LINE}, "
    f"{_LINE}, {_SUMS}, {_LINE}, int64[::1])"
)
def attend(
    image: Array,
    rim: int,
    norm: Array,
    groups: int,
    heads: int,
    project: Array,
    project_start: Array,
    mix: Array,
    mix_start: Array,
    scratch: Array,
    sums: NDArray[np.float64],
    room: Array,
    zero: NDArray[np.int64],
) -> None:
    """Self-attention over all voxels, added to the image; queries are scaled by ``project``.

    ``room`` has ``attention_space`` floats; ``zero`` is one 0.
    """
    height, across, channels = image.shape[1] - 2, image.shape[2] - 2, image.shape[3]
    planes, width = len(image) - 2 if rim else 1, channels // heads
    count, wide, none = planes * height * across, (width + 15) // 16 * 16, address(zero, 0)
    parts, mixed, shares = count * channels, 4 * count * channels, 5 * count * channels
    values = shares + count * count
    found = values + count * wide
    keys = found + count * wide
    zeros = keys + count * width
    most = zeros + (count if count > wide else wide)
    for n in range(values, most):
        room[n] = 0
    nothing = address(room, zeros)
    for first in range(rim, len(image) - rim, planes):
        group_norm(image, first, first + planes, norm, groups, scratch, sums)
        for n in range(count):
            z, y, x = n // (height * across), n // across % height, n % across
            for c in range(channels):
                value = image[first + z, y + 1, x + 1, c]
                room[n * channels + c] = value * scratch[c] + scratch[channels + c]
        dense(
            (
                _vectors(3 * channels),
                address(room, 0),
                channels,
                channels,
                address(project, 0),
                address(project_start, 0),
                none,
                address(room, parts),
                count,
                3 * channels,
            )
        )
        for head in range(0, channels, width):
            query, step = parts + head, 3 * channels
            _pack(room, query + channels, step, (count, width), count, True, keys)
            _pack(room, query + 2 * channels, step, (count, width), wide, False, values)
            dense(
                (
                    _vectors(count),
                    address(room, query),
                    step,
                    width,
                    address(room, keys),
                    nothing,
                    none,
                    address(room, shares),
                    count,
                    count,
                )
            )
            _exponentials(room, shares, count, most)
            dense(
                (
                    _vectors(wide),
                    address(room, shares),
                    count,
                    count,
                    address(room, values),
                    nothing,
                    none,
                    address(room, found),
                    count,
                    wide,
                )
            )
            _divide(room, shares, count, found, wide, head, (width, channels))
        dense(
            (
                _vectors(channels),
                address(room, 0),
                channels,
                channels,
                address(mix, 0),
                address(mix_start, 0),
                none,
                address(room, mixed),
                count,
                channels,
            )
        )
        for n in range(count):
            z, y, x = n // (height * across), n // across % height, n % across
            for c in range(channels):
                image[first + z, y + 1, x + 1, c] += room[mixed + n * channels + c]
