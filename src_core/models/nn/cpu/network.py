"""A VelocityUNet prepared for the CPU: weights transformed once, all space allocated once.

One image at a time and one order of every sum: an image's result depends on nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from src_core.models.device import fixed_threads
from src_core.models.nn.cpu import kernels, layout_kernels
from src_core.models.nn.cpu.vector_code import FAR, LANES, NEAR

__all__ = ["LOOPS", "CpuNetwork"]

#: Every compiled loop that a network needs.
LOOPS = (
    kernels.normalise,
    kernels.convolve,
    kernels.convolve_plain,
    kernels.attend,
    layout_kernels.pad,
    layout_kernels.fold,
    layout_kernels.join,
)
Array = NDArray[np.float32]
#: Space for tiles, floats, where one row of tiles needs no more: small enough for a core's cache.
_TILES = 20_000


@dataclass(frozen=True, eq=False)
class _Plain:
    weights: Array
    start: Array
    size: int
    stride: int
    ndim: int

    @classmethod
    def of(cls, layer: Any) -> _Plain:
        """A layer of any stride: a run is the taps along the last axis, with all inputs."""
        weights = layer.weight.detach().double().numpy()
        ndim, outputs = weights.ndim - 2, _whole(weights.shape[0])
        moved = np.moveaxis(weights, (0, 1), (-1, -2))
        moved = np.pad(moved, [(0, 0)] * (ndim + 1) + [(0, outputs - weights.shape[0])])
        flat = moved.reshape(-1, moved.shape[-3] * moved.shape[-2], outputs)
        size, stride = layer.kernel_size[0], layer.stride[0]
        start = np.pad(layer.bias.detach().numpy(), (0, outputs - weights.shape[0]))
        return cls(_blocks(flat[None]), start, size, stride, ndim)

    def __call__(self, padded: Array, output: Array) -> None:
        _, _, width, inputs = padded.shape
        axis = range(self.size)
        places = product(axis if self.ndim == 3 else (0,), axis)
        rows = padded.shape[1]
        offsets = np.array([(z * rows + y) * width * inputs for z, y in places])
        run = self.size * inputs
        kernels.convolve_plain(padded, self.stride, offsets, run, self.weights, self.start, output)


class _Convolution:
    """Three taps along each axis, by Winograd's transform."""

    def __init__(self, layer: Any) -> None:
        weights = layer.weight.detach().double().numpy()
        weights = weights if weights.ndim == 5 else weights[:, :, None]
        more = _whole(len(weights)) - len(weights)
        weights = np.pad(weights, [(0, more)] + [(0, 0)] * 4)
        self.weights = _blocks(_transformed(weights))
        self.start = np.pad(layer.bias.detach().float().numpy(), (0, more))

    def __call__(self, padded: Array, output: Array, more: Array | None, space: _Space) -> None:
        old, across = output if more is None else more, output.shape[2] // 4
        line = 36 * across * max(a.shape[0] * a.shape[3] for a in (padded, output))
        tiles = space.tiles(max(line, _TILES))
        kernels.convolve(
            padded, self.weights, self.start, old, output, int(more is not None), *tiles
        )


class _Block:
    def __init__(self, block: Any) -> None:
        self.norms = [_affine(norm) for norm in (block.norm_in, block.norm_out)]
        self.conv_in, self.conv_out = _Convolution(block.conv_in), _Convolution(block.conv_out)
        self.skip = None if isinstance(block.skip, nn.Identity) else _Plain.of(block.skip)
        self.level = block.level


class CpuNetwork:
    """The same function as a ``VelocityUNet``, for one image.

    Args:
        network: of ``supported`` shape, whose weights no longer change.
        side: pixels per side of the images.
    """

    def __init__(self, network: Any, side: int) -> None:
        self.network, self.config, self.ndim = network, network.config, network.config.ndim
        self.stem = _Plain.of(network.stem)
        self.down = [_Plain.of(layer) for layer in network.down]
        self.encoder, self.middle, self.decoder = (
            [_Block(block) for block in part]
            for part in (network.encoder, network.middle, network.decoder)
        )
        self.attention = _attention(network.attention) if self.config.heads else None
        self.norm, self.head = _affine(network.norm), _Convolution(network.head)
        organs = network.organ_head
        self.organ_head = None if organs is None else _Convolution(organs)
        self.side = side // self.config.stem
        self._films: dict[int, list[Array]] = {}
        self._spaces: list[_Space] = []

    def __call__(self, image: Tensor, level: int, organs: bool) -> tuple[Tensor, Tensor | None]:
        """Velocity of an image (1, 1, *side), float32; logits of organs if asked for."""
        space = self._spaces.pop() if self._spaces else _Space(self.ndim)
        features = self._features(image, self._levels(level), space)
        velocity, logits = self._head(self.head, self.ndim, features, space), None
        if organs and self.organ_head is not None:
            count = self.config.organs << self.ndim
            logits = _spread(self._head(self.organ_head, count, features, space))
        self._spaces.append(space)
        return velocity, logits

    def _head(self, head: _Convolution, count: int, features: Array, space: _Space) -> Tensor:
        """The first ``count`` channels of a head's output: (1, count, *n)."""
        found = space.image("head", features.shape[1] - 2, len(head.start))
        head(features, found, None, space)
        kept = found[..., :count] if self.ndim == 3 else found[0, ..., :count]
        return torch.from_numpy(np.moveaxis(kept, -1, 0)[None].copy())

    def _levels(self, level: int) -> list[Array]:
        """Factors and offsets (2, C) of every block at a level."""
        if level not in self._films:
            share = torch.tensor([[level / self.config.levels]])
            with torch.no_grad():
                e = self.network.embed(torch.cat([share, share.square()], 1))
                films = [
                    block.level(e)[0].view(2, -1).numpy()
                    for block in (*self.encoder, *self.middle, *self.decoder)
                ]
            one = np.array([[1.0], [0.0]], np.float32)
            self._films[level] = [film + one for film in films]
        return self._films[level]

    def _features(self, image: Tensor, films: list[Array], space: _Space) -> Array:
        found, widths, stem = iter(films), self.config.widths, self.config.stem
        values = image.detach().float().contiguous().numpy()[0, 0]
        values = values if self.ndim == 3 else values[None]
        folded = space.padded(self.side, stem**self.ndim)
        layout_kernels.fold(values, folded, stem)
        x = space.image("stage 0", self.side, widths[0])
        self.stem(folded, x)
        skips = []
        for i, block in enumerate(self.encoder):
            if i:
                padded = space.padded(x.shape[1], x.shape[3])
                layout_kernels.pad(x, padded)
                x = space.image(f"stage {i}", x.shape[1] // 2, widths[i])
                self.down[i - 1](padded, x)
            self._block(block, x, x, next(found), space)
            skips.append(x)
        x = skips.pop()
        self._block(self.middle[0], x, x, next(found), space)
        self._attend(x, space)
        for block in self.middle[1:]:
            self._block(block, x, x, next(found), space)
        for block in self.decoder:
            skip = skips.pop()
            width = skip.shape[3] + x.shape[3]
            joined = space.image("joined", skip.shape[1], width)
            layout_kernels.join(skip, x, joined)
            self._block(block, joined, skip, next(found), space)
            x = skip
        padded = space.padded(x.shape[1], x.shape[3])
        kernels.normalise(x, padded, self.norm, self.config.groups, space.scratch)
        return padded

    def _block(self, block: _Block, x: Array, out: Array, film: Array, space: _Space) -> None:
        """A residual block from ``x`` to ``out``, which may be the same."""
        groups, side, width = self.config.groups, out.shape[1], out.shape[3]
        if block.skip is not None:
            block.skip(x, out)
        padded = space.padded(side, x.shape[3])
        kernels.normalise(x, padded, block.norms[0], groups, space.scratch)
        inner = space.image("inner", side, width)
        block.conv_in(padded, inner, None, space)
        weights = np.concatenate([block.norms[1][:2], film])
        padded = space.padded(side, width)
        kernels.normalise(inner, padded, weights, groups, space.scratch)
        block.conv_out(padded, out, out, space)

    def _attend(self, x: Array, space: _Space) -> None:
        if self.attention is not None:
            norm, project, project_start, mix, mix_start = self.attention
            groups, heads, scratch = self.config.groups, self.config.heads, space.scratch
            kernels.attend(x, norm, groups, heads, project, project_start, mix, mix_start, scratch)


class _Space:
    """Images of a pass through the network, each allocated once."""

    def __init__(self, ndim: int) -> None:
        self.ndim = ndim
        self.scratch = np.zeros(1 << 12, np.float32)
        self._tiles = [np.zeros(0, np.float32)] * 2
        self._images: dict[tuple[str, int, int], Array] = {}

    def image(self, name: str, side: int, channels: int, rim: int = 0) -> Array:
        key = (name, side, channels)
        if key not in self._images:
            full = side + 2 * rim
            planes = full if self.ndim == 3 else 1
            self._images[key] = np.zeros((planes, full, full, channels), np.float32)
        return self._images[key]

    def tiles(self, size: int) -> list[Array]:
        """Two rows of at least that many numbers."""
        if len(self._tiles[0]) < size:
            self._tiles = [np.zeros(size, np.float32) for _ in range(2)]
        return self._tiles

    def padded(self, side: int, channels: int) -> Array:
        return self.image("padded", side, channels, rim=1)


def _spread(values: Tensor) -> Tensor:
    """Channels to blocks of two voxels along each axis: (1, K 2^D, *n) -> (1, K, *2n)."""
    ndim = values.dim() - 2
    parts = values.unflatten(1, (-1, *[2] * ndim))
    order = [axis for i in range(ndim) for axis in (2 + ndim + i, 2 + i)]
    return parts.permute(0, 1, *order).reshape(1, -1, *[2 * n for n in values.shape[2:]])


def _affine(norm: Any) -> Array:
    weight, bias = norm.weight.detach().float().numpy(), norm.bias.detach().float().numpy()
    return np.stack([weight, bias, np.ones_like(weight), np.zeros_like(bias)])


def _attention(layer: Any) -> list[Array]:
    """The norm, then weights and biases of both linear layers; the first scales queries."""
    found, width = [_affine(layer.norm)], layer.norm.num_channels
    for linear, scale in ((layer.query_key_value, (width / layer.heads) ** -0.5), (layer.out, 1)):
        factors = np.ones(linear.out_features)
        factors[:width] = scale
        weights = linear.weight.detach().double().numpy() * factors[:, None]
        start = (linear.bias.detach().double().numpy() * factors).astype(np.float32)
        found += [_blocks(weights.T[None, None]), start]
    return found


def _whole(channels: int) -> int:
    return -(-channels // 16) * 16


def _blocks(weights: NDArray[np.float64]) -> Array:
    """(parts, taps, run, outputs) -> (parts, blocks, taps, run, block), flat, float32."""
    parts, taps, run, outputs = weights.shape
    count = outputs // LANES
    block = LANES * next(v for v in (3, 2, 1) if count % v == 0)
    split = weights.astype(np.float32).reshape(parts, taps, run, outputs // block, block)
    return np.ascontiguousarray(split.transpose(0, 3, 1, 2, 4)).ravel()


def _transformed(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Taps (outputs, inputs, Z, 3, 3) -> (36, Z, inputs, outputs)."""
    matrix, (outputs, inputs, taps) = _transform(), weights.shape[:3]
    flat = torch.from_numpy(weights.reshape(-1, 9)).T
    with fixed_threads():
        found = torch.from_numpy(np.kron(matrix, matrix)) @ flat
    return found.numpy().reshape(36, outputs, inputs, taps).transpose(0, 3, 2, 1)


def _transform() -> NDArray[np.float64]:
    """Winograd's transform of three taps: (6, 3)."""
    near, far = NEAR**2, FAR**2
    rows = [[1 / (near * far), 0, 0]]
    for point, other in ((NEAR, far), (FAR, near)):
        scale = 1 / (2 * point**2 * (point**2 - other))
        rows += [[scale, sign * point * scale, point**2 * scale] for sign in (1, -1)]
    return np.array([*rows, [0, 0, 1]])
