"""Layers of a network with their weights as the compiled loops read them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from src_core.models.nn.cpu import kernels
from src_core.models.nn.cpu.attention_kernels import attend, attention_space
from src_core.models.nn.cpu.buffers import Array, Buffers
from src_core.models.nn.cpu.emitter import LANES
from src_core.models.nn.cpu.vector_code import FAR, NEAR

__all__ = ["Attention", "PlainConvolution", "WinogradConvolution", "affine"]


@dataclass(frozen=True, eq=False)
class PlainConvolution:
    """Any size and stride.

    Weights are (blocks, taps, run, block); a run is the taps along the last axis, with all inputs.
    """

    weights: Array
    start: Array
    size: int
    stride: int
    ndim: int

    @classmethod
    def of(cls, layer: Any) -> PlainConvolution:
        """From a torch layer, its outputs filled up with zeros to a multiple of 16."""
        weights, start = _filled(layer)
        ndim, size = weights.ndim - 2, layer.kernel_size[0]
        moved = np.moveaxis(weights, (0, 1), (-1, -2))
        flat = moved.reshape(1, -1, size * weights.shape[1], len(start))
        return cls(_blocks(flat), start, size, layer.stride[0], ndim)

    def __call__(self, image: Array, output: Array, buffers: Buffers) -> None:
        """Into ``output``."""
        _, rows, width, inputs = image.shape
        rim, axis = buffers.rim, range(self.size)
        # a layer of one tap reads where it writes, within the rim
        first = 0 if self.size > 1 else (rim * rows + 1) * width + 1
        places = product(axis if self.ndim == 3 else (0,), axis)
        offsets = np.array([(first + (z * rows + y) * width) * inputs for z, y in places])
        run = self.size * inputs
        vectors = _vectors(len(self.start))
        kernels.convolve_plain(
            image, output, rim, self.stride, offsets, run, vectors, self.weights, self.start
        )


class WinogradConvolution:
    """Three taps along each axis."""

    def __init__(self, layer: Any) -> None:
        weights, self.start = _filled(layer)
        weights = weights if weights.ndim == 5 else weights[:, :, None]
        self.weights = _transformed(weights)
        self.zeros, self.vectors = np.zeros_like(self.start), _vectors(len(self.start))

    def __call__(self, image: Array, output: Array, buffers: Buffers, adds: bool = False) -> None:
        """Into ``output``, or added to it."""
        across, channels = output.shape[2] // 4, max(image.shape[3], output.shape[3])
        line = across * (len(image) if buffers.rim else 1)
        tiles, products = buffers.tiles(line, channels)
        planes, lines = _at_once(image, output, buffers.rim, len(tiles) // (36 * channels) - 4)
        given = (image, output, buffers.rim, planes, lines, self.vectors, self.weights, self.start)
        offsets = np.empty(3, np.int64)
        kernels.convolve(*given, self.zeros, int(adds), tiles, products, offsets)


class Attention:
    """Self-attention over all positions of the coarsest grid."""

    def __init__(self, layer: Any, groups: int) -> None:
        self.norm, self.groups, self.heads = affine(layer.norm), groups, layer.heads
        width = layer.norm.num_channels
        self.project = _linear(layer.query_key_value, width, (width / layer.heads) ** -0.5)
        self.mix = _linear(layer.out, width, 1)
        self.zero = np.zeros(1, np.int64)

    def __call__(self, image: Array, buffers: Buffers) -> None:
        """Added to ``image``."""
        planes, rows, width, channels = image.shape
        count = (planes - 2 if buffers.rim else 1) * (rows - 2) * (width - 2)
        room = np.empty(attention_space(count, channels, self.heads), np.float32)
        given = (image, buffers.rim, self.norm, self.groups, self.heads, *self.project, *self.mix)
        attend(*given, buffers.scratch, buffers.sums, room, self.zero)


def affine(norm: Any) -> Array:
    """Of a group norm, (4, C): gamma, beta, then 1 and 0, for what follows the norm."""
    weight, bias = norm.weight.detach().float().numpy(), norm.bias.detach().float().numpy()
    return np.stack([weight, bias, np.ones_like(weight), np.zeros_like(bias)])


def _linear(layer: Any, width: int, scale: float) -> tuple[Array, Array]:
    """Weights and bias of a linear layer; its first ``width`` outputs, the queries, are scaled."""
    factors = np.ones(layer.out_features)
    factors[:width] = scale
    weights = layer.weight.detach().double().numpy() * factors[:, None]
    start = (layer.bias.detach().double().numpy() * factors).astype(np.float32)
    return _blocks(weights.T[None, None]), start


def _at_once(image: Array, output: Array, rim: int, most: int) -> tuple[int, int]:
    """Planes and lines of tiles whose tiles, ``most`` at most, are transformed together.

    All planes of a volume; in 2D several images where a whole one has fewer tiles than that.
    """
    high, across = (output.shape[1] - 2) // 4, (output.shape[2] - 2) // 4
    planes = len(image) if rim else 1
    lines = _divisor(high, most // (planes * across))
    if not rim and lines == high:
        planes = _divisor(len(image), most // (high * across))
    return planes, lines


def _divisor(count: int, most: int) -> int:
    """The largest divisor of a count that is at most ``most``, or 1."""
    return next((n for n in range(min(count, most), 1, -1) if count % n == 0), 1)


def _vectors(channels: int) -> int:
    """Vectors of channels that one product computes."""
    return next(v for v in (3, 2, 1) if channels // LANES % v == 0)


def _filled(layer: Any) -> tuple[Array, Array]:
    """Weights and bias, float32, outputs filled up with zeros to a multiple of 16."""
    weights, bias = (one.detach().float().numpy() for one in (layer.weight, layer.bias))
    more = -len(bias) % 16
    if not more:
        return weights, bias
    weights = np.concatenate([weights, np.zeros((more, *weights.shape[1:]), np.float32)])
    return weights, np.concatenate([bias, np.zeros(more, np.float32)])


def _blocks(weights: NDArray[Any]) -> Array:
    """(parts, taps, run, outputs) -> (parts, blocks, taps, run, block), flat, float32."""
    parts, taps, run, outputs = weights.shape
    block = LANES * _vectors(outputs)
    split = weights.reshape(parts, taps, run, outputs // block, block).transpose(0, 3, 1, 2, 4)
    return split.astype(np.float32, order="C").ravel()


def _transformed(weights: Array) -> Array:
    """Taps (outputs, inputs, Z, 3, 3) -> (36, blocks, Z, inputs, block), flat, float32."""
    outputs, inputs, taps = weights.shape[:3]
    block = LANES * _vectors(outputs)
    split = weights.reshape(-1, block, inputs, taps, 3, 3).transpose(4, 5, 0, 3, 2, 1)
    flat = torch.from_numpy(np.ascontiguousarray(split)).view(9, -1)
    return (_transform() @ flat).numpy().ravel()


@cache
def _transform() -> torch.Tensor:
    """Winograd's transform of 3 x 3 taps: (36, 9)."""
    near, far = NEAR**2, FAR**2
    rows = [[1 / (near * far), 0, 0]]
    for point, other in ((NEAR, far), (FAR, near)):
        scale = 1 / (2 * point**2 * (point**2 - other))
        rows += [[scale, sign * point * scale, point**2 * scale] for sign in (1, -1)]
    matrix = np.array([*rows, [0, 0, 1]])
    return torch.from_numpy(np.kron(matrix, matrix)).float()
