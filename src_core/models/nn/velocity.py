"""The small recovery network: image -> velocity, a U-Net that works at a quarter of the resolution.

Space-to-depth stem, pre-activated residual blocks with group norm, the level as a feature-wise
affine (FiLM), self-attention where the grid is coarsest, output on the grid of the control field.
"""

from __future__ import annotations

from functools import lru_cache, partial
from itertools import pairwise
from typing import Any, Literal

import torch
from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator
from torch import Tensor, nn
from torch.nn import functional

from src_core.models.network_kind import (
    Activations,
    Design,
    NetworkConfig,
    NetworkKind,
    PreparedNetwork,
)
from src_core.models.nn.layers import RANDOM, UNFILLED, Layers, copied

__all__ = [
    "VelocityUNet",
    "VelocityUNetConfig",
    "VelocityUNetKind",
    "depth_to_space",
    "space_to_depth",
]


class VelocityUNetConfig(NetworkConfig):
    """Shape of a VelocityUNet.

    Attributes:
        ndim: 2 or 3 spatial axes.
        stem: side of the blocks that space-to-depth folds into channels.
        widths: channels of the stages, finest first; each stage halves the grid.
        output_stage: index of the stage on whose grid the velocity lies.
        middle: residual blocks at the coarsest stage.
        heads: of self-attention at the coarsest stage; 0 for none.
        embedding: features of the level.
        groups: of group normalisation.
        levels: T, to bring levels to 0..1.
        organs: maps of organs that the network predicts as well, on a grid twice as fine as the
            velocity's; 0 for none.
    """

    kind: Literal["velocity-unet"] = "velocity-unet"
    stem: int = Field(default=4, ge=1)
    widths: tuple[int, ...] = (24, 32, 48, 64)
    output_stage: int = Field(default=1, ge=0)
    middle: int = Field(default=2, ge=1)
    heads: int = Field(default=4, ge=0)
    embedding: int = Field(default=32, ge=1)
    groups: int = Field(default=4, ge=1)
    levels: int = Field(default=80, ge=1)
    organs: int = Field(default=0, ge=0)

    @model_serializer(mode="wrap")
    def _without_organs(self, values: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Configs without organs are written as they were before there were any."""
        return {k: v for k, v in values(self).items() if k != "organs" or v}

    @model_validator(mode="after")
    def _divisible(self) -> VelocityUNetConfig:
        uneven = any(w % self.groups for w in self.widths)
        if uneven or (self.heads and self.widths[-1] % self.heads):
            raise ValueError(f"widths {self.widths} must be multiples of groups (last: of heads)")
        return self


def space_to_depth(image: Tensor, block: int) -> Tensor:
    """(B, C, *S) -> (B, C * block^D, *S / block); the sides must be multiples of ``block``."""
    ndim = image.dim() - 2
    shape = list(image.shape[:2])
    for n in image.shape[2:]:
        shape += [n // block, block]
    grid, inner = range(2, 2 + 2 * ndim, 2), range(3, 3 + 2 * ndim, 2)
    return image.reshape(shape).permute(0, 1, *inner, *grid).flatten(1, 1 + ndim)


def depth_to_space(x: Tensor, block: int) -> Tensor:
    """The inverse of ``space_to_depth``: (B, C * block^D, *S) -> (B, C, *S * block)."""
    ndim = x.dim() - 2
    x = x.unflatten(1, (-1, *[block] * ndim))
    order = [axis for i in range(ndim) for axis in (2 + ndim + i, 2 + i)]
    x = x.permute(0, 1, *order)
    for axis in range(2, 2 + ndim):
        x = x.flatten(axis, axis + 1)
    return x


class _ResidualBlock(nn.Module):
    """x + conv(act(film(norm(conv(act(norm(x))))))), starting as the identity."""

    def __init__(
        self, config: VelocityUNetConfig, inputs: int, outputs: int, layers: Layers
    ) -> None:
        super().__init__()
        conv = partial(layers.conv, config.ndim)
        self.norm_in = nn.GroupNorm(config.groups, inputs)
        self.conv_in = conv(inputs, outputs, 3)
        self.norm_out = nn.GroupNorm(config.groups, outputs)
        self.conv_out = conv(outputs, outputs, 3)
        self.level = layers.linear(config.embedding, 2 * outputs)
        self.skip = nn.Identity() if inputs == outputs else conv(inputs, outputs, 1)
        for parameter in (self.level.weight, self.level.bias, self.conv_out.weight):
            nn.init.zeros_(parameter)

    def forward(self, x: Tensor, level: Tensor) -> Tensor:
        gain, offset = self.level(level)[(...,) + (None,) * (x.dim() - 2)].chunk(2, 1)
        h = self.conv_in(functional.silu(self.norm_in(x)))
        h = self.norm_out(h) * (1 + gain) + offset
        return self.skip(x) + self.conv_out(functional.silu(h))


class _Attention(nn.Module):
    """Self-attention over all positions of the coarsest grid, starting as the identity."""

    def __init__(self, config: VelocityUNetConfig, width: int, layers: Layers) -> None:
        super().__init__()
        self.heads = config.heads
        self.norm = nn.GroupNorm(config.groups, width)
        self.query_key_value = layers.linear(width, 3 * width)
        self.out = layers.linear(width, width)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, x: Tensor) -> Tensor:
        tokens = self.norm(x).flatten(2).transpose(1, 2)
        batch, count, width = tokens.shape
        parts = self.query_key_value(tokens).reshape(batch, count, 3, self.heads, -1)
        q, k, v = parts.permute(2, 0, 3, 1, 4)
        mixed = functional.scaled_dot_product_attention(q, k, v)
        mixed = self.out(mixed.transpose(1, 2).reshape(batch, count, width))
        return x + mixed.transpose(1, 2).reshape(x.shape)


class VelocityUNet(nn.Module):
    """Predicts the velocity that made a deformed image, in units of its standard deviation.

    ``forward(image (B, 1, *S) in [0, 1], level (B,)) -> (B, D, *S / stem / 2^output_stage)``;
    ``forward_with_organs`` gives maps of organs as well.
    """

    def __init__(self, config: VelocityUNetConfig, layers: Layers = RANDOM) -> None:
        super().__init__()
        self.config = config
        widths, ndim = config.widths, config.ndim
        conv, block = partial(layers.conv, ndim), partial(_ResidualBlock, layers=layers)
        self.embed = nn.Sequential(
            layers.linear(2, config.embedding),
            nn.SiLU(),
            layers.linear(config.embedding, config.embedding),
            nn.SiLU(),
        )
        self.stem = conv(config.stem**ndim, widths[0], 3)
        self.down = nn.ModuleList(conv(a, b, 4, 2) for a, b in pairwise(widths))
        self.encoder = nn.ModuleList(block(config, w, w) for w in widths)
        self.middle = nn.ModuleList(
            block(config, widths[-1], widths[-1]) for _ in range(config.middle)
        )
        heads = config.heads
        self.attention = _Attention(config, widths[-1], layers) if heads else nn.Identity()
        stages = range(len(widths) - 2, config.output_stage - 1, -1)
        self.decoder = nn.ModuleList(
            block(config, widths[i] + widths[i + 1], widths[i]) for i in stages
        )
        last = widths[config.output_stage]
        self.norm = nn.GroupNorm(config.groups, last)
        self.head = conv(last, ndim, 3)
        self.organ_head = conv(last, config.organs << ndim, 3) if config.organs else None
        for parameter in self.head.parameters():
            nn.init.zeros_(parameter)
        if ndim == 2:  # a quarter faster on CPUs
            self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, image: Tensor, level: Tensor) -> Tensor:
        """Velocity (B, D, *S / stem / 2^output_stage) of an image (B, 1, *S) at its level (B,)."""
        velocity: Tensor = self.head(self._features(image, level))
        return velocity

    def forward_with_organs(self, image: Tensor, level: Tensor) -> tuple[Tensor, Tensor | None]:
        """The velocity, and logits of organs on a grid twice as fine: (B, K, *grid)."""
        features = self._features(image, level)
        if self.organ_head is None:
            return self.head(features), None
        return self.head(features), depth_to_space(self.organ_head(features), 2)

    def activations(self, image: Tensor, level: Tensor) -> Activations:
        """The bottleneck and both outputs."""
        seen: list[Tensor] = []
        features, organs = self._features(image, level, seen), self.organ_head
        found = None if organs is None else depth_to_space(organs(features), 2).sigmoid()
        return Activations(seen[0], self.head(features), found)

    def _features(self, image: Tensor, level: Tensor, seen: list[Tensor] | None = None) -> Tensor:
        share = level.to(image.dtype) / self.config.levels
        e = self.embed(torch.stack([share, share.square()], 1))
        x = self.stem(space_to_depth(image - 0.5, self.config.stem))
        skips = []
        for i, block in enumerate(self.encoder):
            x = block(x if i == 0 else self.down[i - 1](x), e)
            skips.append(x)
        x = self.attention(self.middle[0](x, e))
        for block in self.middle[1:]:
            x = block(x, e)
        if seen is not None:
            seen.append(x)
        for block, skip in zip(self.decoder, reversed(skips[:-1]), strict=False):
            coarse = functional.interpolate(x, scale_factor=2, mode="nearest")
            x = block(torch.cat([skip, coarse], 1), e)
        return functional.silu(self.norm(x))


@lru_cache(maxsize=4)
def _unfilled(config: VelocityUNetConfig) -> VelocityUNet:
    """A network whose weights have shapes alone: building one takes longer than a step."""
    with torch.device("meta"):
        return VelocityUNet(config, UNFILLED)


class VelocityUNetKind(NetworkKind):
    """Velocities, as ``NetworkKind`` has them."""

    config = VelocityUNetConfig

    def build(self, config: VelocityUNetConfig) -> VelocityUNet:
        """The network, with fresh random weights."""
        return VelocityUNet(config)

    def unfilled(self, config: VelocityUNetConfig) -> VelocityUNet:
        """The network without random weights, as a copy of one that is built once."""
        network: VelocityUNet = copied(_unfilled(config)).to_empty(device="cpu")
        return network

    def organs(self, config: VelocityUNetConfig) -> int:
        """How many maps of organs the network predicts."""
        return config.organs

    def output_with_organs(
        self,
        design: Design,
        network: nn.Module,
        images: Tensor,
        levels: Tensor,
        condition: Tensor | None = None,
    ) -> tuple[Tensor, Tensor | None]:
        """The output, and logits of organs."""
        assert isinstance(network, VelocityUNet)
        return network.forward_with_organs(images, levels)

    def prepared(self, design: Design, network: nn.Module) -> PreparedNetwork | None:
        """Compiled loops, where they support the network's shape."""
        from src_core.models.nn.cpu import cpu_network

        return cpu_network(network, design.size) if isinstance(network, VelocityUNet) else None

    def check(self, design: Design) -> None:
        """Raise a ValueError unless the stages divide the grid, and one is the control grid's."""
        network, size, control = design.network, design.size, design.schedule.control
        assert isinstance(network, VelocityUNetConfig)
        finest, coarsest = network.output_stage, len(network.widths) - 1
        if finest > coarsest or size % (network.stem << coarsest):
            raise ValueError(f"size {size} cannot be halved as often as widths and stem require")
        if size != control // 2 * (network.stem << finest):
            raise ValueError(
                f"the network's output has {size / (network.stem << finest):g} points per side, "
                f"the control field has {control // 2}: change stem, output_stage or control"
            )
