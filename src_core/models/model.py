"""A trained DRDM: what it is (``ModelSpec``, in the file's header) and its network.

``predict`` gives one recovery velocity per unit of tau, whatever the network was trained to give.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from torch import Tensor, nn

from src_core.diffusion.grids import state_size
from src_core.diffusion.kinds import random_field
from src_core.diffusion.random_field import RandomField
from src_core.diffusion.schedule import Schedule
from src_core.errors import InputError
from src_core.fields import enlarge, smooth
from src_core.models.nn import NetworkConfig
from src_core.models.nn.acnn import AcnnUNet, predict
from src_core.models.preprocessing import Preprocessing, with_preprocessing

__all__ = ["Card", "Model", "ModelSpec", "Recovery", "check_grids", "input_error"]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Recovery(_Frozen):
    """How a model recovers (Algorithm 2).

    Attributes:
        steps: default number of jumps over the levels, at most the level itself.
        redundancy: how much more than the level's own time is integrated back; what a network
            leaves in one step it can take in a later one (paper 3.3; the release has about 3.3).
        image_mode: how the image is warped for the network.
        smoothing: Gaussian over each prediction, standard deviation in state voxels; 0 for none.
    """

    steps: int = Field(default=8, ge=1)
    redundancy: float = Field(default=1.0, gt=0)
    image_mode: Literal["linear", "cubic"] = "linear"
    smoothing: float = Field(default=0.0, ge=0)


class Card(_Frozen):
    """What users should know about a model; ``command`` made it, ``figures`` are measured.

    ``start`` names the model whose weights it began with, ``teacher`` one that it followed.
    """

    title: str = ""
    data: str = ""
    licence: str = ""
    limits: str = ""
    command: str = ""
    citation: str = ""
    start: str = ""
    teacher: str = ""
    figures: dict[str, Any] = Field(default_factory=dict)


class ModelSpec(_Frozen):
    """Everything about a model but its weights.

    Attributes:
        size: pixels a side of the model's grid.
        preprocessing: of a case's intensities, for the network alone.
        mm_per_pixel: smallest and largest scale seen in training, None where unknown.
    """

    format: Literal[1] = 1
    name: str
    size: int = Field(ge=16)
    preprocessing: Preprocessing = Preprocessing()
    mm_per_pixel: tuple[float, float] | None = None
    schedule: Schedule
    network: NetworkConfig
    recovery: Recovery = Recovery()
    card: Card = Card()

    @model_validator(mode="before")
    @classmethod
    def _older(cls, values: Any) -> Any:
        return with_preprocessing(values)

    @model_validator(mode="after")
    def _grids(self) -> ModelSpec:
        check_grids(self.size, self.schedule, self.network)
        return self

    @property
    def ndim(self) -> int:
        """Spatial axes of what the model deforms: 2 (slices) or 3 (volumes)."""
        return self.network.ndim

    @property
    def random_field(self) -> RandomField:
        """What deforms an image before the model recovers it."""
        return random_field(self.schedule)

    @property
    def state(self) -> int:
        """Voxels a side of the grid on which fields are composed."""
        if self.network.kind == "acnn":
            return self.size
        return state_size(self.schedule)


def input_error(error: ValidationError, where: str) -> InputError | None:
    """The ``InputError`` that a check of a spec or a config raised first, and in which file."""
    cause = error.errors()[0].get("ctx", {}).get("error")
    if not isinstance(cause, InputError):
        return None
    place = f"{where}: {cause.where}" if cause.where else where
    return InputError(cause.what, where=place, expected=cause.expected, do=cause.do)


def check_grids(size: int, schedule: Schedule, network: NetworkConfig) -> None:
    """Raise a ValueError unless the grids of model, state and network are in step."""
    random_field(schedule)
    control, state = schedule.control, state_size(schedule)
    if control % 4 or size % state:
        raise ValueError(
            f"size {size} and control {control} do not fit: size a multiple of {state}"
        )
    if network.kind == "acnn":
        return
    finest, coarsest = network.output_stage, len(network.widths) - 1
    if finest > coarsest or size % (network.stem << coarsest):
        raise ValueError(f"size {size} cannot be halved as often as widths and stem ask for")
    if size != control // 2 * (network.stem << finest):
        raise ValueError(
            f"the network answers on {size / (network.stem << finest):g} points a side, "
            f"the control field has {control // 2}: change stem, output_stage or control"
        )


@dataclass(frozen=True, eq=False)
class Model:
    """A spec with its network, in evaluation mode, on a device; ``file`` and its ``sha256``."""

    spec: ModelSpec
    network: nn.Module
    device: torch.device
    sha256: str
    file: str = ""

    def predict(self, images: Tensor, level: int) -> Tensor:
        """Velocity that takes deformation away, per unit of tau.

        Args:
            images: (V, 1, *size) in 0..1, views of one deformation, e.g. the slices of a stack.
            level: the level they stand at, 1 or more.

        Returns:
            (1, D, *state), state voxels per unit of tau, on the CPU: the mean over the views.
        """
        levels = torch.full((len(images),), level, device=self.device)
        images = images.to(self.device)
        if isinstance(self.network, AcnnUNet):
            step = self._displacement(self.network, images, levels, level)
        else:
            step = self._velocity(images, levels)
        return smooth(step, self.spec.recovery.smoothing)

    def _velocity(self, images: Tensor, levels: Tensor) -> Tensor:
        raw = torch.cat(
            [self.network(i[None], t[None]) for i, t in zip(images, levels, strict=True)]
        )
        velocity = raw.mean(0, keepdim=True).float().cpu() * self.spec.random_field.unit
        return -enlarge(velocity, self.spec.state * 2 // self.spec.schedule.control)

    def _displacement(
        self, network: AcnnUNet, images: Tensor, levels: Tensor, level: int
    ) -> Tensor:
        """The published network gives the DVF of ``n_dvf`` compositions, in voxels of its grid."""
        raw = torch.cat(
            [predict(network, i[None], t[None] - 1) for i, t in zip(images, levels, strict=True)]
        )
        return raw.mean(0, keepdim=True).cpu() / max(self.spec.schedule.n_dvf(level), 1)
