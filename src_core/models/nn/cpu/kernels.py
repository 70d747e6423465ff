"""The layers of a recovery network as compiled loops over images (Z, H, W, C), float32.

In 2D, Z counts images; in 3D it is the third axis of one image. Every image has a rim of zeros: one
pixel in the plane, and ``rim`` planes at both ends of Z, 0 in 2D and 1 in 3D. Convolutions of 3 x 3
taps use Winograd's transform F(4 x 4, 3 x 3) in the plane (Lavin & Gray 2016, arXiv:1509.09308).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from src_core.fields.kernels.compiled import helper, kernel
from src_core.models.nn.cpu.vector_code import (
    LANES,
    ROWS,
    add_output,
    exp_row,
    multiply_1,
    multiply_2,
    multiply_3,
    multiply_few_1,
    multiply_few_2,
    multiply_few_3,
    normalise_row,
    sum_row,
    to_output,
    to_tile,
)

__all__ = ["attend", "convolve", "convolve_plain", "normalise"]

Array = NDArray[np.float32]
_IMAGE, _LINE = "float32[:,:,:,::1]", "float32[::1]"


@helper
def _at(array: Array) -> Any:
    return array.ctypes.data


@helper
def _multiply(rows: int, vectors: int, numbers: tuple[int, ...]) -> None:
    if rows == 4:
        _multiply_few(vectors, numbers)
    elif vectors == 1:
        multiply_1(numbers)
    elif vectors == 2:
        multiply_2(numbers)
    else:
        multiply_3(numbers)


@helper
def _multiply_few(vectors: int, numbers: tuple[int, ...]) -> None:
    if vectors == 1:
        multiply_few_1(numbers)
    elif vectors == 2:
        multiply_few_2(numbers)
    else:
        multiply_few_3(numbers)


@helper
def _vectors(channels: int) -> int:
    """Vectors of channels that one product computes."""
    count = channels // LANES
    return 3 if count % 3 == 0 else 2 if count % 2 == 0 else 1


@helper
def _group_norm(
    image: Array, first: int, last: int, weights: Array, groups: int, scratch: Array
) -> Array:
    """Factors and offsets of each channel, (2, C) in a row: group norm and an affine map.

    Over planes from ``first`` to before ``last``. ``weights`` are (4, C): gamma, beta, and factor
    and offset of what follows the norm; ``scratch`` holds 4 C numbers or more.
    """
    height, width, channels = image.shape[1] - 2, image.shape[2] - 2, image.shape[3]
    sums, row, size = np.zeros(2 * channels), scratch[2 * channels :], channels // groups
    for z in range(first, last):
        for y in range(height):
            sum_row((_at(image[z, y + 1, 1]), width, channels, _at(row), _at(row[channels:])))
            for c in range(2 * channels):
                sums[c] += row[c]
    found, count = scratch[: 2 * channels], (last - first) * height * width * size
    for low in range(0, channels, size):
        mean = square = 0.0
        for c in range(low, low + size):
            mean += sums[c] / count
            square += sums[channels + c] / count
        scale = 1 / np.sqrt(max(square - mean * mean, 0.0) + 1e-5)
        for c in range(low, low + size):
            gain = weights[0, c] * scale
            found[c] = gain * weights[2, c]
            found[channels + c] = (weights[1, c] - mean * gain) * weights[2, c] + weights[3, c]
    return found


@kernel(f"void({_IMAGE}, {_IMAGE}, int64, float32[:,::1], int64, {_LINE})")
def normalise(
    image: Array, output: Array, rim: int, weights: Array, groups: int, scratch: Array
) -> None:
    """Group norm, an affine map and SiLU."""
    height, width, channels = image.shape[1] - 2, image.shape[2] - 2, image.shape[3]
    planes = len(image) - 2 if rim else 1
    for first in range(rim, len(image) - rim, planes):
        found = _group_norm(image, first, first + planes, weights, groups, scratch)
        offsets = found[channels:]
        for z in range(first, first + planes):
            for y in range(1, height + 1):
                source, target = _at(image[z, y, 1]), _at(output[z, y, 1])
                normalise_row((source, target, width, channels, _at(found), _at(offsets)))


@kernel(f"void({_IMAGE}, {_IMAGE}, int64, int64, int64[::1], int64, {_LINE}, {_LINE})")
def convolve_plain(
    image: Array,
    output: Array,
    rim: int,
    stride: int,
    offsets: NDArray[np.int64],
    run: int,
    weights: Array,
    start: Array,
) -> None:
    """A convolution as a sum over taps.

    ``offsets`` say where the taps' runs begin, in floats, ``run`` how long each is; ``weights`` are
    (blocks, taps, run, block), where a block is the channels that one product computes.
    """
    height, width, channels = output.shape[1] - 2, output.shape[2] - 2, output.shape[3]
    vectors, taps, inputs = _vectors(channels), len(offsets), image.shape[3]
    block, rows = vectors * LANES, ROWS if width % ROWS == 0 else 4
    planes = stride if rim else 1
    for z in range(len(output) - 2 * rim):
        for y in range(height):
            for first in range(0, channels, block):
                part = _at(weights[first * taps * run :])
                for x in range(0, width, rows):
                    source = _at(image[z * planes, y * stride, x * stride])
                    target = _at(output[z + rim, y + 1, x + 1, first:])
                    _multiply(rows, vectors, (source, stride * inputs, taps, _at(offsets), run,
                              part, _at(start[first:]), target, channels))  # fmt: skip


@helper
def _fitting(count: int, most: int) -> int:
    """The largest divisor of a count that is at most ``most``, or 1."""
    size = max(1, min(count, most))
    while count % size:
        size -= 1
    return size


@kernel(f"void({_IMAGE}, {_IMAGE}, int64, {_LINE}, {_LINE}, int64, {_LINE}, {_LINE})")
def convolve(
    image: Array,
    output: Array,
    rim: int,
    weights: Array,
    start: Array,
    adds: int,
    tiles: Array,
    products: Array,
) -> None:
    """A convolution of three taps along each axis; where ``adds`` is not 0, added to the output.

    ``weights`` are (36, blocks, taps along Z, inputs, block); ``tiles`` and ``products`` are space
    for as many tiles as their size allows: a row of the image or more, and four tiles to spare.
    """
    high, across = (output.shape[1] - 2) // 4, (output.shape[2] - 2) // 4
    channels, inputs, row, line = output.shape[3], image.shape[3], image.shape[2], output.shape[2]
    planes, taps = (len(image), 3) if rim else (1, 1)
    most = len(tiles) // (36 * max(inputs, channels)) - 4
    lines = _fitting(high, most // (planes * across))
    if not rim and lines == high:
        planes = _fitting(len(image), most // (high * across))
    depth, here = planes - 2 * rim, lines * across
    vectors = _vectors(channels)
    rows = ROWS if depth * here % ROWS == 0 else 4
    offsets, zeros = np.arange(taps) * (here * inputs), np.zeros(channels, np.float32)
    stride, wide = planes * here * inputs, depth * here * channels
    for number in range(high // lines * (len(image) // planes)):
        bottom, first = number // (high // lines) * planes, number % (high // lines) * lines
        for tile in range(planes * here):
            z, y, x = tile // here, tile % here // across, tile % across
            source = _at(image[bottom + z, 4 * (first + y), 4 * x])
            target = _at(tiles[tile * inputs :])
            to_tile((source, row * inputs, inputs, target, stride, inputs))
        for f in range(36):
            for channel in range(0, channels, vectors * LANES):
                part = _at(weights[(f * channels + channel) * taps * inputs :])
                for tile in range(0, depth * here, rows):
                    source = _at(tiles[f * stride + tile * inputs :])
                    target = _at(products[f * wide + tile * channels + channel :])
                    _multiply(rows, vectors, (source, inputs, taps, _at(offsets), inputs, part,
                              _at(zeros), target, channels))  # fmt: skip
        for tile in range(depth * here):
            z, y, x = tile // here, tile % here // across, tile % across
            source = _at(products[tile * channels :])
            target = _at(output[bottom + z + rim, 4 * (first + y) + 1, 4 * x + 1])
            numbers = (source, wide, _at(start), target, line * channels, channels, channels)
            if adds:
                add_output(numbers)
            else:
                to_output(numbers)


@helper
def _dense(
    values: int, stride: int, inputs: int, weights: Array, start: Array, output: Array
) -> None:
    """``values @ weights + start``: four rows of values after another, ``stride`` floats apart."""
    count, channels = output.shape
    vectors, none = _vectors(channels), np.zeros(1, np.int64)
    for first in range(0, channels, vectors * LANES):
        part, base = _at(weights[first * inputs :]), _at(start[first:])
        for n in range(0, count, 4):
            source, target = values + 4 * n * stride, _at(output[n, first:])
            _multiply_few(vectors, (source, stride, 1, _at(none), inputs, part, base,
                                    target, channels))  # fmt: skip


@helper
def _pack(values: Array, first: int, count: int, along: bool, packed: Array) -> None:
    """Columns of values as the weights of a product: the rows are its inputs, or its outputs."""
    outputs = len(packed) // (count if along else len(values))
    inputs, block = len(packed) // outputs, _vectors(outputs) * LANES
    for n in range(len(values)):
        for c in range(count):
            i, o = (c, n) if along else (n, c)
            packed[o // block * block * inputs + i * block + o % block] = values[n, first + c]


@helper
def _attention(parts: Array, mixed: Array, width: int) -> None:
    """Values by the similarity of queries and keys, head by head: (n, 3 C) to (n, C)."""
    count, channels = mixed.shape
    wide = (width + 15) // 16 * 16
    shares, values = np.empty((count, count), np.float32), np.zeros(count * wide, np.float32)
    found, keys = np.empty((count, wide), np.float32), np.zeros(width * count, np.float32)
    zeros, most = np.zeros(max(count, wide), np.float32), np.empty(1, np.float32)
    for head in range(0, channels, width):
        _pack(parts, channels + head, width, True, keys)
        _pack(parts, 2 * channels + head, width, False, values)
        _dense(_at(parts[0, head:]), 3 * channels, width, keys, zeros, shares)
        for n in range(count):
            most[0] = shares[n, 0]
            for m in range(count):
                most[0] = max(most[0], shares[n, m])
            exp_row((_at(shares[n]), _at(most), count))
        _dense(_at(shares), count, count, values, zeros, found)
        for n in range(count):
            total = 0.0
            for m in range(count):
                total += shares[n, m]
            for c in range(width):
                mixed[n, head + c] = found[n, c] / total


@kernel(
    f"void({_IMAGE}, int64, float32[:,::1], int64, int64, {_LINE}, {_LINE}, {_LINE}, {_LINE}, "
    f"{_LINE})"
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
) -> None:
    """Self-attention over all voxels, added to the image; queries are scaled by ``project``."""
    height, across, channels = image.shape[1] - 2, image.shape[2] - 2, image.shape[3]
    planes = len(image) - 2 if rim else 1
    count, width = planes * height * across, channels // heads
    tokens = np.empty((count, channels), np.float32)
    mixed, parts = np.empty_like(tokens), np.empty((count, 3 * channels), np.float32)
    for first in range(rim, len(image) - rim, planes):
        found = _group_norm(image, first, first + planes, norm, groups, scratch)
        for n in range(count):
            z, y, x = n // (height * across), n // across % height, n % across
            for c in range(channels):
                value = image[first + z, y + 1, x + 1, c]
                tokens[n, c] = value * found[c] + found[channels + c]
        _dense(_at(tokens), channels, channels, project, project_start, parts)
        _attention(parts, tokens, width)
        _dense(_at(tokens), channels, channels, mix, mix_start, mixed)
        for n in range(count):
            z, y, x = n // (height * across), n // across % height, n % across
            for c in range(channels):
                image[first + z, y + 1, x + 1, c] += mixed[n, c]
