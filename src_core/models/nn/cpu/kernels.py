"""The layers of a recovery network as compiled loops: (Z, H, W, C) float32, Z = 1 in 2D.

Convolutions of 3 x 3 taps use Winograd's transform F(4 x 4, 3 x 3) in the plane (Lavin & Gray
2016, arXiv:1509.09308); in 3D its products are summed over the three taps along Z. A padded image
has a rim of zeros: one pixel in the plane, one plane at both ends of Z in 3D.
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
def _group_norm(image: Array, weights: Array, groups: int, scratch: Array) -> Array:
    """Factors and offsets of each channel, (2, C) in a row: group norm and an affine map.

    ``weights`` are (4, C): gamma, beta, and factor and offset of what follows the norm; ``scratch``
    holds 4 C numbers or more.
    """
    depth, height, width, channels = image.shape
    sums, row, size = np.zeros(2 * channels), scratch[2 * channels :], channels // groups
    for z in range(depth):
        for y in range(height):
            sum_row((_at(image[z, y]), width, channels, _at(row), _at(row[channels:])))
            for c in range(2 * channels):
                sums[c] += row[c]
    found, count = scratch[: 2 * channels], depth * height * width * size
    for first in range(0, channels, size):
        mean = square = 0.0
        for c in range(first, first + size):
            mean += sums[c] / count
            square += sums[channels + c] / count
        scale = 1 / np.sqrt(max(square - mean * mean, 0.0) + 1e-5)
        for c in range(first, first + size):
            gain = weights[0, c] * scale
            found[c] = gain * weights[2, c]
            found[channels + c] = (weights[1, c] - mean * gain) * weights[2, c] + weights[3, c]
    return found


@kernel(f"void({_IMAGE}, {_IMAGE}, float32[:,::1], int64, {_LINE})")
def normalise(image: Array, padded: Array, weights: Array, groups: int, scratch: Array) -> None:
    """Group norm, an affine map and SiLU, into a padded image."""
    depth, height, width, channels = image.shape
    rim = (padded.shape[0] - depth) // 2
    found = _group_norm(image, weights, groups, scratch)
    offsets = found[channels:]
    for z in range(depth):
        for y in range(height):
            source, target = image[z, y], padded[z + rim, y + 1, 1]
            normalise_row((_at(source), _at(target), width, channels, _at(found), _at(offsets)))


@kernel(f"void({_IMAGE}, int64, int64[::1], int64, {_LINE}, {_LINE}, {_IMAGE})")
def convolve_plain(
    padded: Array,
    stride: int,
    offsets: NDArray[np.int64],
    run: int,
    weights: Array,
    start: Array,
    output: Array,
) -> None:
    """A convolution as a sum over taps.

    ``offsets`` say where the taps' runs begin, in floats, ``run`` how long each is; ``weights`` are
    (blocks, taps, run, block), where a block is the channels that one product computes.
    """
    depth, height, width, channels = output.shape
    vectors, taps, inputs = _vectors(channels), len(offsets), padded.shape[3]
    block, rows = vectors * LANES, ROWS if width % ROWS == 0 else 4
    planes = stride if depth > 1 else 1
    for z in range(depth):
        for y in range(height):
            for first in range(0, channels, block):
                part = _at(weights[first * taps * run :])
                for x in range(0, width, rows):
                    source = _at(padded[z * planes, y * stride, x * stride])
                    target = _at(output[z, y, x, first:])
                    _multiply(rows, vectors, (source, stride * inputs, taps, _at(offsets), run,
                              part, _at(start[first:]), target, channels))  # fmt: skip


@kernel(f"void({_IMAGE}, {_LINE}, {_LINE}, {_IMAGE}, {_IMAGE}, int64, {_LINE}, {_LINE})")
def convolve(
    padded: Array,
    weights: Array,
    start: Array,
    more: Array,
    output: Array,
    adds: int,
    tiles: Array,
    products: Array,
) -> None:
    """A convolution of three taps along each axis, plus ``more`` where ``adds`` is not 0.

    ``weights`` are (36, blocks, taps along Z, inputs, block); ``tiles`` and ``products`` are space
    for as many tiles as their size allows.
    """
    depth, height, width, channels = output.shape
    inputs, planes = padded.shape[3], padded.shape[0]
    taps = planes - depth + 1
    across = width // 4
    most = min(len(tiles) // (36 * planes * inputs), len(products) // (36 * depth * channels))
    lines = min(height // 4, max(1, most // across))
    while (height // 4) % lines:
        lines -= 1
    here = lines * across
    vectors = _vectors(channels)
    block = vectors * LANES
    rows = ROWS if depth * here % ROWS == 0 else 4
    offsets = np.arange(taps) * (here * inputs)
    zeros = np.zeros(channels, np.float32)
    stride, wide = planes * here * inputs, depth * here * channels
    for first in range(0, height // 4, lines):
        for z in range(planes):
            for line in range(lines):
                for tile in range(across):
                    source = _at(padded[z, 4 * (first + line), 4 * tile])
                    target = tiles[((z * lines + line) * across + tile) * inputs :]
                    to_tile((source, padded.shape[2] * inputs, inputs, _at(target), stride, inputs))
        for f in range(36):
            for channel in range(0, channels, block):
                part = _at(weights[(f * channels + channel) * taps * inputs :])
                for tile in range(0, depth * here, rows):
                    source = _at(tiles[f * stride + tile * inputs :])
                    target = _at(products[f * wide + tile * channels + channel :])
                    _multiply(rows, vectors, (source, inputs, taps, _at(offsets), inputs, part,
                              _at(zeros), target, channels))  # fmt: skip
        for z in range(depth):
            for line in range(lines):
                for tile in range(across):
                    source = _at(products[((z * lines + line) * across + tile) * channels :])
                    old = _at(more[z, 4 * (first + line), 4 * tile])
                    target = _at(output[z, 4 * (first + line), 4 * tile])
                    numbers = (source, wide, _at(start), old, target,
                               width * channels, channels, channels)  # fmt: skip
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


@kernel(
    f"void({_IMAGE}, float32[:,::1], int64, int64, {_LINE}, {_LINE}, {_LINE}, {_LINE}, {_LINE})"
)
def attend(
    image: Array,
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
    depth, height, across, channels = image.shape
    count, width = depth * height * across, channels // heads
    found, flat = _group_norm(image, norm, groups, scratch), image.reshape(count, channels)
    tokens, parts = np.empty_like(flat), np.empty((count, 3 * channels), np.float32)
    for n in range(count):
        for c in range(channels):
            tokens[n, c] = flat[n, c] * found[c] + found[channels + c]
    _dense(_at(tokens), channels, channels, project, project_start, parts)
    wide = (width + 15) // 16 * 16
    shares, mixed = np.empty((count, count), np.float32), np.empty((count, wide), np.float32)
    keys, values = np.zeros(width * count, np.float32), np.zeros(count * wide, np.float32)
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
        _dense(_at(shares), count, count, values, zeros, mixed)
        for n in range(count):
            total = 0.0
            for m in range(count):
                total += shares[n, m]
            for c in range(width):
                tokens[n, head + c] = mixed[n, c] / total
    result = np.empty_like(tokens)
    _dense(_at(tokens), channels, channels, mix, mix_start, result)
    for n in range(count):
        for c in range(channels):
            flat[n, c] += result[n, c]
