"""Layers of a network with their weights as the compiled loops read them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from src_core.models.device import fixed_threads
from src_core.models.nn.cpu import kernels
from src_core.models.nn.cpu.buffers import Array, Buffers
from src_core.models.nn.cpu.vector_code import FAR, LANES, NEAR

__all__ = ["PlainConvolution", "WinogradConvolution", "affine", "attention"]

_WIDE = NDArray[np.float64]


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
        kernels.convolve_plain(
            image, output, rim, self.stride, offsets, run, self.weights, self.start
        )


class WinogradConvolution:
    """Three taps along each axis."""

    def __init__(self, layer: Any) -> None:
        weights, self.start = _filled(layer)
        weights = weights if weights.ndim == 5 else weights[:, :, None]
        self.weights = _transformed(weights)

    def __call__(self, image: Array, output: Array, buffers: Buffers, adds: bool = False) -> None:
        """Into ``output``, or added to it."""
        line = output.shape[2] // 4 * (len(image) if buffers.rim else 1)
        tiles = buffers.tiles(line, max(image.shape[3], output.shape[3]))
        kernels.convolve(image, output, buffers.rim, self.weights, self.start, int(adds), *tiles)


def affine(norm: Any) -> Array:
    """Of a group norm, (4, C): gamma, beta, then 1 and 0, for what follows the norm."""
    weight, bias = norm.weight.detach().float().numpy(), norm.bias.detach().float().numpy()
    return np.stack([weight, bias, np.ones_like(weight), np.zeros_like(bias)])


def attention(layer: Any) -> tuple[Array, ...]:
    """The norm, then weights and biases of both linear layers; the first scales queries."""
    found, width = [affine(layer.norm)], layer.norm.num_channels
    for linear, scale in ((layer.query_key_value, (width / layer.heads) ** -0.5), (layer.out, 1)):
        factors = np.ones(linear.out_features)
        factors[:width] = scale
        weights = linear.weight.detach().double().numpy() * factors[:, None]
        start = (linear.bias.detach().double().numpy() * factors).astype(np.float32)
        found += [_blocks(weights.T[None, None]), start]
    return tuple(found)


def _filled(layer: Any) -> tuple[Array, Array]:
    """Weights and bias, float32, outputs filled up with zeros to a multiple of 16."""
    weights, bias = (one.detach().float().numpy() for one in (layer.weight, layer.bias))
    more = -len(bias) % 16
    if not more:
        return weights, bias
    weights = np.concatenate([weights, np.zeros((more, *weights.shape[1:]), np.float32)])
    return weights, np.concatenate([bias, np.zeros(more, np.float32)])


def _block(outputs: int) -> int:
    """Outputs of one block: those that one product computes."""
    count = outputs // LANES
    return LANES * next(v for v in (3, 2, 1) if count % v == 0)


def _blocks(weights: NDArray[Any]) -> Array:
    """(parts, taps, run, outputs) -> (parts, blocks, taps, run, block), flat, float32."""
    parts, taps, run, outputs = weights.shape
    split = weights.reshape(parts, taps, run, -1, _block(outputs)).transpose(0, 3, 1, 2, 4)
    return split.astype(np.float32, order="C").ravel()


def _transformed(weights: Array) -> Array:
    """Taps (outputs, inputs, Z, 3, 3) -> (36, blocks, Z, inputs, block), flat, float32."""
    outputs, inputs, taps = weights.shape[:3]
    split = weights.reshape(-1, _block(outputs), inputs, taps, 3, 3).transpose(4, 5, 0, 3, 2, 1)
    flat, matrix = torch.from_numpy(np.ascontiguousarray(split)).view(9, -1), _transform()
    with fixed_threads():
        return (torch.from_numpy(np.kron(matrix, matrix)).float() @ flat).numpy().ravel()


def _transform() -> _WIDE:
    """Winograd's transform of three taps: (6, 3)."""
    near, far = NEAR**2, FAR**2
    rows = [[1 / (near * far), 0, 0]]
    for point, other in ((NEAR, far), (FAR, near)):
        scale = 1 / (2 * point**2 * (point**2 - other))
        rows += [[scale, sign * point * scale, point**2 * scale] for sign in (1, -1)]
    return np.array([*rows, [0, 0, 1]])
