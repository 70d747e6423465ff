"""A kind of recovery network: its config, and what its output means.

Unless a kind overrides this, the output is the velocity field that deformed the image, in units of
its standard deviation, on the control grid over the image. ``models.prediction`` lists the kinds.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict
from torch import Tensor, nn
from torch.nn import functional

from src_core.diffusion.grids import crop, state_size
from src_core.diffusion.kinds import random_field
from src_core.diffusion.schedule import Schedule
from src_core.fields import enlarge

__all__ = [
    "Activations",
    "ConditionNumber",
    "Design",
    "NetworkConfig",
    "NetworkKind",
    "OutputScale",
    "PreparedNetwork",
]


class NetworkConfig(BaseModel):
    """Shape of a network; every kind has a config class whose ``kind`` is its name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str
    ndim: Literal[2, 3] = 2


class Design(Protocol):
    """What decides the grids of a model: a ``ModelSpec`` or a ``TrainConfig``."""

    @property
    def size(self) -> int:
        """Pixels per side of the model's grid."""

    @property
    def schedule(self) -> Schedule:
        """Which random fields it recovers from."""

    @property
    def network(self) -> NetworkConfig:
        """The network's shape."""


@dataclass(frozen=True, eq=False)
class Activations:
    """What a network makes of images on the way to its output.

    Attributes:
        bottleneck: (N, C, *grid), where the grid is coarsest.
        velocity: (N, D, *grid), the output.
        organs: (N, K, *grid), 0 to 1; None without organs.
    """

    bottleneck: Tensor
    velocity: Tensor
    organs: Tensor | None

    @classmethod
    def joined(cls, parts: Sequence[Activations]) -> Activations:
        """Those of several images, one after the other."""
        organs = [one.organs for one in parts if one.organs is not None]
        return cls(
            torch.cat([one.bottleneck for one in parts]),
            torch.cat([one.velocity for one in parts]),
            torch.cat(organs) if organs else None,
        )

    def on_cpu(self) -> Activations:
        """The same as float32 on the CPU."""
        organs = None if self.organs is None else self.organs.float().cpu()
        return Activations(self.bottleneck.float().cpu(), self.velocity.float().cpu(), organs)


class PreparedNetwork(Protocol):
    """A network made ready to predict on the CPU: the same function, each image by itself."""

    def activations(self, images: Tensor, level: int) -> Activations:
        """``NetworkKind.activations`` of images (N, 1, *size)."""

    def __call__(self, images: Tensor, level: int, organs: bool) -> tuple[Tensor, Tensor | None]:
        """``NetworkKind.output_with_organs`` of images (N, 1, *size); organs if asked for."""


@dataclass(frozen=True)
class ConditionNumber:
    """One number of a condition: its range, and its value where none is given."""

    name: str
    low: float
    high: float
    default: float

    def __str__(self) -> str:
        return f"{self.name} ({self.low:g} to {self.high:g})"


@dataclass(frozen=True)
class OutputScale:
    """How large a kind's targets are, so that losses can be relative to them.

    Attributes:
        energy: mean square of a target at full strength; 1 for velocities in their unit.
        slope: the same for differences between neighbouring voxels.
        voxels: voxels of the output's grid that an output of 1 moves.
    """

    energy: float
    slope: float
    voxels: float


class NetworkKind(ABC):
    """One kind of network; most subclasses define only ``config``, ``build`` and ``check``.

    Attributes:
        config: the class of its configs.
        windows: whether it can be trained on crops of images and fields, at full resolution.
    """

    config: ClassVar[type[NetworkConfig]]
    windows: ClassVar[bool] = False

    @abstractmethod
    def build(self, config: Any) -> nn.Module:
        """The network, with fresh random weights (from torch's global generator)."""

    def unfilled(self, config: Any) -> nn.Module:
        """The network whose weights a file gives. By default one with random weights."""
        return self.build(config)

    @abstractmethod
    def check(self, design: Design) -> None:
        """Raise a ValueError unless the output lies on the grid of the targets."""

    def state(self, design: Design) -> int:
        """Voxels per side of the grid on which fields are composed."""
        return state_size(design.schedule)

    def condition(self, config: Any) -> tuple[ConditionNumber, ...]:
        """The numbers that the network takes besides image and level. By default none."""
        return ()

    def draw_condition(self, config: Any, rng: np.random.Generator) -> tuple[float, ...]:
        """The condition of a training sample. By default uniform over the ranges."""
        return tuple(float(rng.uniform(n.low, n.high)) for n in self.condition(config))

    def output(
        self,
        design: Design,
        network: nn.Module,
        images: Tensor,
        levels: Tensor,
        condition: Tensor | None = None,
    ) -> Tensor:
        """The network's output, which training compares with ``target``.

        Args:
            images: (B, 1, *size) in 0..1, or crops (windows) of them.
            levels: (B,), int64.
            condition: (B, C); None for a kind that takes none.
        """
        more = () if condition is None else (condition,)
        output: Tensor = network(images, levels, *more)
        return output

    def prepared(self, design: Design, network: nn.Module) -> PreparedNetwork | None:
        """A faster form of a network on the CPU whose weights no longer change. By default none."""
        return None

    def organs(self, config: Any) -> int:
        """How many maps of organs the network predicts besides. By default none."""
        return 0

    def output_with_organs(
        self,
        design: Design,
        network: nn.Module,
        images: Tensor,
        levels: Tensor,
        condition: Tensor | None = None,
    ) -> tuple[Tensor, Tensor | None]:
        """``output``, and logits of maps of organs, (B, K, *twice the output's grid), or None."""
        return self.output(design, network, images, levels, condition), None

    def activations(self, network: nn.Module, images: Tensor, levels: Tensor) -> Activations | None:
        """What the network makes of images (N, 1, *size); None where it does not give it."""
        own = getattr(network, "activations", None)
        found: Activations | None = None if own is None else own(images, levels)
        return found

    def target(
        self, design: Design, clean: Tensor, levels: Tensor, condition: Tensor | None = None
    ) -> Tensor:
        """The output to learn for images deformed by undisturbed velocities.

        Args:
            clean: (B, D, *control), control voxels.
            levels: (B,).
            condition: (B, C), on which a target may depend.
        """
        return crop(clean) / random_field(design.schedule).unit

    def velocity(self, design: Design, output: Tensor, level: int) -> Tensor:
        """A recovery step's velocity: output (B, D, *any) -> (B, D, *state), voxels per tau."""
        velocity = output * random_field(design.schedule).unit
        return -enlarge(velocity, self.state(design) * 2 // design.schedule.control)

    def as_output(self, design: Design, velocity: Tensor, levels: Tensor) -> Tensor:
        """The output that stands for a velocity of a recovery step: makes a teacher's a target.

        Args:
            velocity: (B, D, *grid over the image), its voxels per unit of tau.
            levels: (B,).
        """
        factor = velocity.shape[-1] // (design.schedule.control // 2)
        return -_shrink(velocity, factor) / random_field(design.schedule).unit

    def remaining(self, output: Tensor, target: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The error of an output; and two fields whose directions should agree.

        Flows of one velocity commute, so a velocity's error is a plain difference.
        """
        return output - target, output, target

    def scale(self, design: Design) -> OutputScale:
        """How large this kind's targets are."""
        return OutputScale(1.0, 1.0, random_field(design.schedule).unit)

    def shape(self, config: Any) -> NetworkConfig:
        """The config reduced to the fields that decide the shapes of the weights."""
        found: NetworkConfig = config
        return found

    def transferred_weights(
        self, weights: dict[str, Tensor], found: Any, wanted: Any, ratio: float
    ) -> dict[str, Tensor]:
        """Weights of a network of the same shape, for another config and random field.

        Args:
            weights: copies, by name.
            found: the config of the network that they come from.
            wanted: the config of the network that gets them.
            ratio: sigma of the new random field over that of the old one.
        """
        return weights


def _shrink(u: Tensor, factor: int) -> Tensor:
    """The inverse of ``enlarge``: means over blocks, in the coarser grid's voxels."""
    pool = {2: functional.avg_pool2d, 3: functional.avg_pool3d}[u.shape[1]]
    return pool(u, factor) / factor if factor > 1 else u
