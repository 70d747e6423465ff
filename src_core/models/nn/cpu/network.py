"""A VelocityUNet prepared for the CPU: weights transformed once, all space allocated once.

Every sum has one order, within its own image: a result depends on no other image and no thread.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from src_core.fields.kernels.threads import in_parts
from src_core.models.device import spare_threads
from src_core.models.network_kind import Activations
from src_core.models.nn.cpu import kernels, layout_kernels
from src_core.models.nn.cpu.attention_kernels import attend
from src_core.models.nn.cpu.buffers import Array, Buffers, borrowed
from src_core.models.nn.cpu.layers import (
    Attention,
    PlainConvolution,
    WinogradConvolution,
    affine,
)

__all__ = ["LOOPS", "CpuNetwork"]

#: Every compiled loop that a network needs.
LOOPS = (
    kernels.normalise,
    kernels.convolve,
    kernels.convolve_plain,
    attend,
    layout_kernels.fold,
    layout_kernels.join,
)
#: Images in 2D that pass through the network together.
_TOGETHER = 4
#: Floats of an image beyond which a block takes one after the other, for the sake of the cache.
_LARGE = 40_000


class _Block:
    def __init__(self, block: Any) -> None:
        self.norm_in, self.norm_out = affine(block.norm_in), affine(block.norm_out)
        self.conv_in = WinogradConvolution(block.conv_in)
        self.conv_out = WinogradConvolution(block.conv_out)
        same = isinstance(block.skip, nn.Identity)
        self.skip = None if same else PlainConvolution.of(block.skip)


class CpuNetwork:
    """The same function as a ``VelocityUNet`` of a supported shape, whose weights no longer change.

    Args:
        network: the VelocityUNet, on the CPU.
        side: pixels per side of the images.
    """

    def __init__(self, network: Any, side: int) -> None:
        self.network, self.config, self.ndim = network, network.config, network.config.ndim
        self.stem = PlainConvolution.of(network.stem)
        self.down = [PlainConvolution.of(layer) for layer in network.down]
        self.encoder = [_Block(block) for block in network.encoder]
        self.middle = [_Block(block) for block in network.middle]
        self.decoder = [_Block(block) for block in network.decoder]
        groups, heads = self.config.groups, self.config.heads
        self.attention = Attention(network.attention, groups) if heads else None
        self.norm, self.head = affine(network.norm), WinogradConvolution(network.head)
        organs = network.organ_head
        self.organ_head = None if organs is None else WinogradConvolution(organs)
        levels = [block.level for block in (*network.encoder, *network.middle, *network.decoder)]
        self.film_sizes = [layer.out_features for layer in levels]
        self.level = tuple(
            torch.cat([getattr(layer, name).detach() for layer in levels])
            for name in ("weight", "bias")
        )
        self.side = side // self.config.stem
        self._films: dict[int, list[Array]] = {}

    def __call__(self, images: Tensor, level: int, organs: bool) -> tuple[Tensor, Tensor | None]:
        """Velocities of images (N, 1, *side), float32; logits of organs if asked for."""
        films, together = self._levels(level), _TOGETHER if self.ndim == 2 else 1
        found: dict[int, tuple[Tensor, Tensor | None]] = {}

        def work(first: int, last: int) -> None:
            with borrowed(self.ndim) as buffers:
                for start in range(first, last, together):
                    some = images[start : min(start + together, last)].detach().float()
                    found[start] = self._some(some, films, organs, buffers)

        threads = spare_threads() if len(images) > 1 else 1
        in_parts(work, len(images), least=1, threads=threads)
        velocities, logits = zip(*(found[start] for start in sorted(found)), strict=True)
        return torch.cat(velocities), None if logits[0] is None else torch.cat(logits)

    def activations(self, images: Tensor, level: int) -> Activations:
        """``VelocityUNet.activations``, each image by itself."""
        films, found = self._levels(level), list[Activations]()
        with borrowed(self.ndim) as buffers:
            for image in images.detach().float().split(1):
                seen: list[Array] = []
                features = self._features(image, iter(films), buffers, seen)
                velocity, logits = self._outputs(features, True, buffers)
                maps = None if logits is None else logits.sigmoid()
                found.append(Activations(self._tensor(seen[0]), velocity, maps))
        return Activations.joined(found)

    def _tensor(self, x: Array) -> Tensor:
        """An image of the buffers without its rim: (N, C, *n)."""
        kept = x[None, 1:-1, 1:-1, 1:-1] if self.ndim == 3 else x[:, 1:-1, 1:-1]
        return torch.from_numpy(np.moveaxis(kept, -1, 1).copy())

    def _some(
        self, images: Tensor, films: list[Array], organs: bool, buffers: Buffers
    ) -> tuple[Tensor, Tensor | None]:
        return self._outputs(self._features(images, iter(films), buffers), organs, buffers)

    def _outputs(
        self, features: Array, organs: bool, buffers: Buffers
    ) -> tuple[Tensor, Tensor | None]:
        velocity = self._head(self.head, self.ndim, features, buffers)
        if not organs or self.organ_head is None:
            return velocity, None
        count = self.config.organs << self.ndim
        return velocity, _spread(self._head(self.organ_head, count, features, buffers))

    def _head(
        self, head: WinogradConvolution, count: int, features: Array, buffers: Buffers
    ) -> Tensor:
        """The first ``count`` channels of a head's output: (N, count, *n)."""
        found = buffers.image("head", len(features), features.shape[1] - 2, len(head.start))
        head(features, found, buffers)
        kept = found[:, 1:-1, 1:-1, :count]
        kept = kept[None, 1:-1] if self.ndim == 3 else kept
        return torch.from_numpy(np.moveaxis(kept, -1, 1).copy())

    def _levels(self, level: int) -> list[Array]:
        """Factors and offsets (2, C) of every block at a level."""
        if level not in self._films:
            share = torch.tensor([[level / self.config.levels]])
            with torch.no_grad():
                e = self.network.embed(torch.cat([share, share.square()], 1))
                films = functional.linear(e, *self.level)[0].numpy()
            parts = np.split(films, np.cumsum(self.film_sizes)[:-1])
            one = np.array([[1.0], [0.0]], np.float32)
            self._films[level] = [part.reshape(2, -1) + one for part in parts]
        return self._films[level]

    def _features(
        self,
        images: Tensor,
        films: Iterator[Array],
        buffers: Buffers,
        seen: list[Array] | None = None,
    ) -> Array:
        count, side, widths = len(images), self.side, self.config.widths
        values = images.contiguous().numpy()
        values = values[0, 0] if self.ndim == 3 else values[:, 0]
        folded = buffers.image("folded", count, side, self.config.stem**self.ndim)
        layout_kernels.fold(values, folded, buffers.rim, self.config.stem)
        x = buffers.image("stage", count, side, widths[0])
        self.stem(folded, x, buffers)
        skips = []
        for i, block in enumerate(self.encoder):
            if i:
                fine, x = x, buffers.image("stage", count, (x.shape[1] - 2) // 2, widths[i])
                self.down[i - 1](fine, x, buffers)
            self._block(block, x, x, next(films), buffers)
            skips.append(x)
        x = skips.pop()
        self._block(self.middle[0], x, x, next(films), buffers)
        if self.attention is not None:
            self.attention(x, buffers)
        for block in self.middle[1:]:
            self._block(block, x, x, next(films), buffers)
        if seen is not None:
            seen.append(x.copy())  # the buffer is used again
        for block, skip in zip(self.decoder, reversed(skips), strict=False):
            width = skip.shape[3] + x.shape[3]
            joined = buffers.image("joined", count, skip.shape[1] - 2, width)
            layout_kernels.join(skip, x, joined, buffers.rim)
            self._block(block, joined, skip, next(films), buffers)
            x = skip
        output = buffers.image("normal", count, x.shape[1] - 2, x.shape[3])
        room = buffers.scratch, buffers.sums
        kernels.normalise(x, output, buffers.rim, self.norm, self.config.groups, *room)
        return output

    def _block(self, block: _Block, x: Array, out: Array, film: Array, buffers: Buffers) -> None:
        """A residual block from ``x`` to ``out``, which may be the same."""
        groups, side, width = self.config.groups, out.shape[1] - 2, out.shape[3]
        room = buffers.scratch, buffers.sums
        if self.ndim == 2 and len(x) > 1 and x[0].size > _LARGE:
            for n in range(len(x)):
                self._block(block, x[n : n + 1], out[n : n + 1], film, buffers)
            return
        if block.skip is not None:
            block.skip(x, out, buffers)
        normal = buffers.image("normal", len(x), side, x.shape[3])
        kernels.normalise(x, normal, buffers.rim, block.norm_in, groups, *room)
        inner = buffers.image("inner", len(x), side, width)
        block.conv_in(normal, inner, buffers)
        weights = np.concatenate([block.norm_out[:2], film])
        normal = buffers.image("normal", len(x), side, width)
        kernels.normalise(inner, normal, buffers.rim, weights, groups, *room)
        block.conv_out(normal, out, buffers, adds=True)


def _spread(values: Tensor) -> Tensor:
    """Channels to blocks of two voxels along each axis: (N, K 2^D, *n) -> (N, K, *2n)."""
    ndim = values.dim() - 2
    parts = values.unflatten(1, (-1, *[2] * ndim))
    order = [axis for i in range(ndim) for axis in (2 + ndim + i, 2 + i)]
    return parts.permute(0, 1, *order).reshape(len(values), -1, *[2 * n for n in values.shape[2:]])
