"""The layers of a recovery network as compiled loops over images (Z, H, W, C), float32.

In 2D, Z counts images; in 3D it is the third axis of one image. Every image has a rim of zeros: one
pixel in the plane, and ``rim`` planes at both ends of Z, 0 in 2D and 1 in 3D. Convolutions of 3 x 3
taps use Winograd's transform F(4 x 4, 3 x 3) in the plane (Lavin & Gray 2016, arXiv:1509.09308).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from src_core.fields.kernels.compiled import helper, kernel
from src_core.models.nn.cpu.emitter import LANES, ROWS, address
from src_core.models.nn.cpu.vector_code import (
    add_output,
    multiply,
    normalise_row,
    sum_row,
    to_output,
    to_tile,
)

__all__ = ["convolve", "convolve_plain", "group_norm", "normalise"]

Array = NDArray[np.float32]
Sums = NDArray[np.float64]
_IMAGE, _LINE, _SUMS = "float32[:,:,:,::1]", "float32[::1]", "float64[::1]"


@helper
def group_norm(
    image: Array, first: int, last: int, weights: Array, groups: int, scratch: Array, sums: Sums
) -> None:
    """Write factors and offsets of each channel, 2 C in a row: group norm and an affine map.

    Over planes from ``first`` to before ``last``. ``weights`` are (4, C): gamma, beta, and factor
    and offset of what follows the norm; ``scratch`` has space for 4 C numbers, the first 2 C are
    the result; ``sums`` for 2 C.
    """
    height, width, channels = image.shape[1] - 2, image.shape[2] - 2, image.shape[3]
    size = channels // groups
    row, squares = address(scratch, 2 * channels), address(scratch, 3 * channels)
    for c in range(2 * channels):
        sums[c] = 0.0
    for z in range(first, last):
        for y in range(height):
            sum_row((address(image, z, y + 1, 1, 0), width, channels, row, squares))
            for c in range(2 * channels):
                sums[c] += scratch[2 * channels + c]
    count = (last - first) * height * width * size
    for low in range(0, channels, size):
        mean = square = 0.0
        for c in range(low, low + size):
            mean += sums[c] / count
            square += sums[channels + c] / count
        variance = square - mean * mean
        scale = 1 / math.sqrt((variance if variance > 0.0 else 0.0) + 1e-5)
        for c in range(low, low + size):
            gain = weights[0, c] * scale
            scratch[c] = gain * weights[2, c]
            scratch[channels + c] = (weights[1, c] - mean * gain) * weights[2, c] + weights[3, c]


@kernel(f"void({_IMAGE}, {_IMAGE}, int64, float32[:,::1], int64, {_LINE}, {_SUMS})")
def normalise(
    image: Array,
    output: Array,
    rim: int,
    weights: Array,
    groups: int,
    scratch: Array,
    sums: Sums,
) -> None:
    """Group norm, an affine map and SiLU."""
    height, width, channels = image.shape[1] - 2, image.shape[2] - 2, image.shape[3]
    planes = len(image) - 2 if rim else 1
    factors, offsets = address(scratch, 0), address(scratch, channels)
    for first in range(rim, len(image) - rim, planes):
        group_norm(image, first, first + planes, weights, groups, scratch, sums)
        for z in range(first, first + planes):
            for y in range(1, height + 1):
                source, target = address(image, z, y, 1, 0), address(output, z, y, 1, 0)
                normalise_row((source, target, width, channels, factors, offsets))


@kernel(f"void({_IMAGE}, {_IMAGE}, int64, int64, int64[::1], int64, int64, {_LINE}, {_LINE})")
def convolve_plain(
    image: Array,
    output: Array,
    rim: int,
    stride: int,
    offsets: NDArray[np.int64],
    run: int,
    vectors: int,
    weights: Array,
    start: Array,
) -> None:
    """A convolution as a sum over taps.

    ``offsets`` say where the taps' runs begin, in floats, ``run`` how long each is; ``weights`` are
    (blocks, taps, run, block), where a block is the channels that one product computes, ``vectors``
    of them.
    """
    height, width, channels = output.shape[1] - 2, output.shape[2] - 2, output.shape[3]
    taps, inputs, block = len(offsets), image.shape[3], vectors * LANES
    rows = ROWS if width % ROWS == 0 else 4
    planes, table = stride if rim else 1, address(offsets, 0)
    for z in range(len(output) - 2 * rim):
        for y in range(height):
            for first in range(0, channels, block):
                part, base = address(weights, first * taps * run), address(start, first)
                for x in range(0, width, rows):
                    source = address(image, z * planes, y * stride, x * stride, 0)
                    target = address(output, z + rim, y + 1, x + 1, first)
                    multiply((rows, vectors, source, stride * inputs, taps, table, run,
                              part, base, target, channels))  # fmt: skip


@kernel(
    f"void({_IMAGE}, {_IMAGE}, int64, int64, int64, int64, {_LINE}, {_LINE}, {_LINE}, int64, "
    f"{_LINE}, {_LINE}, int64[::1])"
)
def convolve(
    image: Array,
    output: Array,
    rim: int,
    planes: int,
    lines: int,
    vectors: int,
    weights: Array,
    start: Array,
    zeros: Array,
    adds: int,
    tiles: Array,
    products: Array,
    offsets: NDArray[np.int64],
) -> None:
    """A convolution of three taps along each axis; where ``adds`` is not 0, added to the output.

    ``weights`` are (36, blocks, taps along Z, inputs, block); ``tiles`` and ``products`` are space
    for the tiles of ``planes`` planes of the image and ``lines`` lines of tiles, which divide their
    number, and four tiles to spare; ``zeros`` as many as channels of the output.
    """
    high, across = (output.shape[1] - 2) // 4, (output.shape[2] - 2) // 4
    channels, inputs, row, line = output.shape[3], image.shape[3], image.shape[2], output.shape[2]
    depth, here, taps = planes - 2 * rim, lines * across, 3 if rim else 1
    rows = ROWS if depth * here % ROWS == 0 else 4
    for tap in range(taps):
        offsets[tap] = tap * here * inputs
    stride, wide = planes * here * inputs, depth * here * channels
    table, none, base = address(offsets, 0), address(zeros, 0), address(start, 0)
    for number in range(high // lines * (len(image) // planes)):
        bottom, first = number // (high // lines) * planes, number % (high // lines) * lines
        for tile in range(planes * here):
            z, y, x = tile // here, tile % here // across, tile % across
            source = address(image, bottom + z, 4 * (first + y), 4 * x, 0)
            target = address(tiles, tile * inputs)
            to_tile((source, row * inputs, inputs, target, stride, inputs))
        for f in range(36):
            for channel in range(0, channels, vectors * LANES):
                part = address(weights, (f * channels + channel) * taps * inputs)
                for tile in range(0, depth * here, rows):
                    source = address(tiles, f * stride + tile * inputs)
                    target = address(products, f * wide + tile * channels + channel)
                    multiply((rows, vectors, source, inputs, taps, table, inputs,
                              part, none, target, channels))  # fmt: skip
        for tile in range(depth * here):
            z, y, x = tile // here, tile % here // across, tile % across
            source = address(products, tile * channels)
            target = address(output, bottom + z + rim, 4 * (first + y) + 1, 4 * x + 1, 0)
            numbers = (source, wide, base, target, line * channels, channels, channels)
            if adds:
                add_output(numbers)
            else:
                to_output(numbers)
