"""The output of the paper's network: the displacement that undoes a DVF.

The DVF is that of ``n_dvf(level)`` compositions, the output is in voxels of the model's grid, and
the target is the DVF itself: what is left after an output is ``warp(output, target) + target``.
"""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor, nn

from src_core.diffusion.kinds import random_field
from src_core.diffusion.random_field import level_ddf
from src_core.diffusion.schedule import DVF_POWER, TAU_POWER, Schedule
from src_core.fields import enlarge
from src_core.fields.sampling import warp
from src_core.models.network_kind import Design, NetworkConfig, NetworkKind, OutputScale
from src_core.models.nn.acnn import AcnnConfig, AcnnUNet, predict

__all__ = ["AcnnKind"]


class AcnnKind(NetworkKind):
    """The recursive U-Net; fields are composed on the model's own grid."""

    config = AcnnConfig
    windows = True

    def build(self, config: AcnnConfig) -> AcnnUNet:
        """The network, with fresh random weights."""
        return AcnnUNet(config)

    def check(self, design: Design) -> None:
        """Raise a ValueError unless the stages divide the model's grid."""
        step = 2 ** len(cast(AcnnConfig, design.network).channels)
        if design.size % step or design.size < 2 * step:
            raise ValueError(f"size {design.size} cannot be halved as often as channels require")

    def state(self, design: Design) -> int:
        """The side of the model's grid."""
        return design.size

    def output(
        self,
        design: Design,
        network: nn.Module,
        images: Tensor,
        levels: Tensor,
        condition: Tensor | None = None,
    ) -> Tensor:
        """The displacement after all passes: (B, D, *size), or that of a window, voxels."""
        rows = (levels - 1).clamp_min(0)
        return predict(cast(AcnnUNet, network), images, rows, side=design.size)

    def target(
        self, design: Design, clean: Tensor, levels: Tensor, condition: Tensor | None = None
    ) -> Tensor:
        """The DVF: (B, D, *size), voxels; 0 at level 0."""
        times = _times(design.schedule, levels)
        u = level_ddf(random_field(design.schedule), clean, times)
        return enlarge(u, design.size // u.shape[-1])

    def velocity(self, design: Design, output: Tensor, level: int) -> Tensor:
        """An output is ``n_dvf`` compositions long."""
        return output / max(design.schedule.n_dvf(level), 1)

    def as_output(self, design: Design, velocity: Tensor, levels: Tensor) -> Tensor:
        """To first order: ``n_dvf`` compositions move a few pixels, along nearly straight paths."""
        factor = design.size // velocity.shape[-1]
        whole = enlarge(velocity, factor) if factor > 1 else velocity
        times = _times(design.schedule, levels).to(whole)
        return whole * times.view(-1, *[1] * (whole.dim() - 1))

    def remaining(self, output: Tensor, target: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """``warp(output, target) + target``."""
        moved = warp(output, target)
        return moved + target, moved, -target

    def scale(self, design: Design) -> OutputScale:
        """Voxels of the model's grid, which is finer than the control grid."""
        unit = random_field(design.schedule).unit
        voxels = 2 * design.size / design.schedule.control
        return OutputScale((unit * voxels) ** 2, unit**2, 1.0)

    def shape(self, config: AcnnConfig) -> NetworkConfig:
        """Passes and the output's unit leave the weights as they are."""
        return config.model_copy(update={"recursion": 1, "output_unit": 1.0})

    def transferred_weights(
        self, weights: dict[str, Tensor], found: Any, wanted: Any, ratio: float
    ) -> dict[str, Tensor]:
        """Rows of the time table at the levels of the same deformation, and the output's scale.

        The output is scaled from one target to the other: ``ratio f^-0.6``, ``f = ratio^(1/1.3)``.
        """
        shrink = ratio ** (1 / TAU_POWER)
        rows = (torch.arange(found.levels) * shrink).round().long().clamp_max(found.levels - 1)
        scale = ratio * shrink**-DVF_POWER * found.output_unit / wanted.output_unit
        head = {name: weights[name] * scale for name in ("head.weight", "head.bias")}
        return {**weights, "time_table": weights["time_table"][rows], **head}


def _times(schedule: Schedule, levels: Tensor) -> Tensor:
    return torch.tensor([float(schedule.n_dvf(int(level))) for level in levels])
