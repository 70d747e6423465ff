"""The paper's recovery network (appendix A): a recursive U-Net of ACNN-II blocks, 2D or 3D.

One pass gives a field as a fraction of the image's side. The next pass sees the image warped by
the field so far, and the two are composed: ``u <- compose(u, pass(I o phi_u, row))``. A row is one
of the time table's, 0 to T - 1: deformation level L means row L - 1.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from src_core.errors import ArgumentError
from src_core.fields import compose
from src_core.fields.sampling import warp
from src_core.models.network_kind import NetworkConfig

__all__ = ["AcnnConfig", "AcnnUNet", "predict", "time_table"]

_CONV = {2: nn.Conv2d, 3: nn.Conv3d}
_UP = {2: nn.ConvTranspose2d, 3: nn.ConvTranspose3d}
_NORM = {2: nn.InstanceNorm2d, 3: nn.InstanceNorm3d}


class AcnnConfig(NetworkConfig):
    """Shape of an AcnnUNet; the defaults are those of the published weights.

    Attributes:
        ndim: 2 or 3 spatial axes.
        in_channels: of the image.
        channels: of the stages, finest first; each stage halves the grid.
        bottleneck: outputs of its three blocks; the last is as wide as the last of ``channels``.
        levels: T, rows of the time table.
        time_features: columns of the time table; even.
        recursion: passes of one prediction.
        negative_slope: of the leaky ReLU, 1e-6 in the release (0.01 in the paper's text).
        dilation: of the last convolution of a block.
        output_unit: what the last convolution gives the field in, as a share of the side.
    """

    kind: Literal["acnn"] = "acnn"
    in_channels: int = Field(default=1, ge=1)
    channels: tuple[int, ...] = Field(default=(10, 20, 40), min_length=1)
    bottleneck: tuple[int, int, int] = (20, 20, 40)
    levels: int = Field(default=80, ge=1)
    time_features: int = Field(default=100, ge=2, multiple_of=2)
    recursion: int = Field(default=2, ge=1)
    negative_slope: float = Field(default=1e-6, ge=0)
    dilation: int = Field(default=3, ge=1)
    output_unit: float = Field(default=1.0, gt=0)


def time_table(levels: int, features: int) -> Tensor:
    """Sinusoids (levels, features): sine and cosine of ``row / 10000^(2 i / features)``, i even.

    The exponent counts columns, not pairs of columns, as the release has it.
    """
    row = torch.arange(levels, dtype=torch.float64)[:, None]
    column = torch.arange(0, features, 2, dtype=torch.float64)
    angle = row / 10000 ** (2 * column / features)
    return torch.stack([angle.sin(), angle.cos()], dim=2).flatten(1).float()


class _AcnnBlock(nn.Module):
    """ACNN-II: ``r = norm(conv(x))``, then ``act(r + dilated(act(conv(act(r)))))``."""

    def __init__(self, config: AcnnConfig, inputs: int, outputs: int, norm: bool) -> None:
        super().__init__()
        conv, wide = _CONV[config.ndim], config.dilation
        self.entry = conv(inputs, outputs, 3, padding=1)
        self.norm = _NORM[config.ndim](outputs, affine=True) if norm else nn.Identity()
        self.middle = conv(outputs, outputs, 3, padding=1)
        self.dilated = conv(outputs, outputs, 3, padding=wide, dilation=wide)
        self.slope = config.negative_slope

    def forward(self, x: Tensor) -> Tensor:
        r = self.norm(self.entry(x))
        h = self.middle(self._act(r))
        return self._act(r + self.dilated(self._act(h)))

    def _act(self, x: Tensor) -> Tensor:
        return functional.leaky_relu(x, self.slope)


class _AcnnStage(nn.Module):
    """Three blocks at one resolution, whose input the level shifts; at the bottleneck, scales."""

    def __init__(self, config: AcnnConfig, *widths: int, norm: bool, scales: bool = False) -> None:
        super().__init__()
        inputs = widths[0]
        self.time = nn.Sequential(
            nn.Linear(config.time_features, inputs), nn.ReLU(), nn.Linear(inputs, inputs)
        )
        self.blocks = nn.Sequential(*(_AcnnBlock(config, a, b, norm) for a, b in pairwise(widths)))
        self.scales = scales

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        t = self.time(time)[(...,) + (None,) * (x.dim() - 2)]
        out: Tensor = self.blocks(x * t if self.scales else x + t)
        return out


class AcnnUNet(nn.Module):
    """Sees the DVF that undoes one level of deformation; ``forward`` is one pass of ``predict``."""

    time_table: Tensor

    def __init__(self, config: AcnnConfig) -> None:
        super().__init__()
        if config.bottleneck[-1] != config.channels[-1]:
            raise ArgumentError(
                f"AcnnUNet() 'bottleneck' must end with {config.channels[-1]}, "
                f"the last of 'channels', got {config.bottleneck}"
            )
        self.config = config
        conv, up, widths = _CONV[config.ndim], _UP[config.ndim], config.channels
        # Saved with the weights: the published table is a float32 one, and fine-tuning remaps rows.
        self.register_buffer("time_table", time_table(config.levels, config.time_features))
        inputs = (config.in_channels, *widths[:-1])
        outputs = (widths[0], *widths[:-1])
        self.encoder = nn.ModuleList(
            _AcnnStage(config, a, b, b, b, norm=True) for a, b in zip(inputs, widths, strict=True)
        )
        self.down = nn.ModuleList(conv(w, w, 4, stride=2, padding=1) for w in widths)
        self.bottleneck = _AcnnStage(config, widths[-1], *config.bottleneck, norm=True, scales=True)
        self.up = nn.ModuleList(up(w, w, 4, stride=2, padding=1) for w in reversed(widths))
        self.decoder = nn.ModuleList(
            _AcnnStage(config, 2 * a, a, b, b, norm=False)
            for a, b in zip(reversed(widths), reversed(outputs), strict=True)
        )
        self.head = conv(widths[0], config.ndim, 3, padding=1)
        if config.ndim == 2:  # a quarter faster on CPUs; not so in 3D
            self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, image: Tensor, row: Tensor) -> Tensor:
        """One pass.

        Args:
            image: (B, C, *S) in [0, 1]; sides multiples of 2^stages, and twice that or more.
            row: (B,), int64, of the time table: level - 1.

        Returns:
            (B, D, *S): channel i as a fraction of the side along axis i, at most (N - 1) / N.

        Raises:
            ArgumentError: another shape, or no such row.
        """
        self._check(image, row)
        time = self.time_table[row]
        x, skips = image, []
        for stage, down in zip(self.encoder, self.down, strict=True):
            skips.append(stage(x, time))
            x = down(skips[-1])
        x = self.bottleneck(x, time)
        for stage, up in zip(self.decoder, self.up, strict=True):
            x = stage(torch.cat([skips.pop(), up(x)], dim=1), time)
        limit = 1 - 1 / _sides(image)
        return torch.clamp(self.head(x) * self.config.output_unit, -limit, limit)

    def _check(self, image: Tensor, row: Tensor) -> None:
        config, step = self.config, 2 ** len(self.config.channels)
        fits = image.dim() == config.ndim + 2 and image.shape[1] == config.in_channels
        if not fits or any(n % step or n < 2 * step for n in image.shape[2:]):
            raise ArgumentError(
                f"AcnnUNet() 'image' must be (B, {config.in_channels}, and {config.ndim} sides, "
                f"multiples of {step} from {2 * step}), got {tuple(image.shape)}"
            )
        if int(row.min()) < 0 or int(row.max()) >= config.levels:
            raise ArgumentError(
                f"AcnnUNet() 'row' must be 0 to {config.levels - 1}, got {row.tolist()}"
            )


def predict(network: AcnnUNet, image: Tensor, row: Tensor, side: int | None = None) -> Tensor:
    """The DVF after all passes.

    Args:
        network: gives one pass.
        image: (B, C, *S), as ``AcnnUNet.forward`` takes it.
        row: (B,), int64: level - 1.
        side: voxels of the whole image, where this is a window of it.

    Returns:
        (B, D, *S), voxels. A pass sees zeros where the field so far points outside the image.
    """
    sides = side or _sides(image)
    u: Tensor = network(image, row) * sides
    for _ in range(network.config.recursion - 1):
        u = compose(u, network(warp(image, u, padding="zeros"), row) * sides)
    return u


def _sides(image: Tensor) -> Tensor:
    """Voxels along each spatial axis, to multiply a field of fractions with: (1, D, 1, ...)."""
    sides = torch.tensor(image.shape[2:], dtype=image.dtype, device=image.device)
    return sides.view(1, -1, *[1] * (image.dim() - 2))
