"""A trained DRDM: what it is (``ModelSpec``, in the file's header) and its network.

``predict`` gives one recovery velocity per unit of tau, whatever the network was trained to output.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from torch import Tensor, nn

from src_core.diffusion.kinds import random_field
from src_core.diffusion.random_field import RandomField
from src_core.diffusion.schedule import Schedule
from src_core.errors import InputError
from src_core.fields import smooth
from src_core.fields.algebra import resized
from src_core.models.fit_features import image_features
from src_core.models.image_fit import FitStatistics, ImageFit, verdict_of
from src_core.models.network_kind import Activations, ConditionNumber, PreparedNetwork
from src_core.models.organs import Organ
from src_core.models.prediction import (
    AnyNetworkConfig,
    check_design,
    check_organs,
    checked_condition,
    network_kind,
)
from src_core.models.preprocessing import Preprocessing, with_preprocessing

__all__ = ["Card", "Model", "ModelSpec", "Recovery", "spec_error", "with_variety"]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Recovery(_Frozen):
    """How a model recovers (Algorithm 2).

    Attributes:
        steps: default number of recovery steps, at most the level itself.
        redundancy: how much more than the level's own time is integrated back; what a network
            leaves in one step it can take in a later one (paper 3.3; the release has about 3.3).
        image_mode: how the image is warped for the network.
        smoothing: Gaussian over each prediction, standard deviation in state voxels; 0 for none.
        variety: share of every correction's organ part that is left out by default, 0 to 1: what
            changes size, orientation and position of the model's organs.
        stretch: share of the stretch of organs by the random field that is left before the first
            step, with a variety of 1; after the last one twice as much. 1 where people differ in
            it as much as the random field.
    """

    steps: int = Field(default=8, ge=1)
    redundancy: float = Field(default=1.0, gt=0)
    image_mode: Literal["linear", "cubic"] = "linear"
    smoothing: float = Field(default=0.0, ge=0)
    variety: float = Field(default=0.0, ge=0, le=1)
    stretch: float = Field(default=1.0, ge=0, le=1)


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
        size: pixels per side of the model's grid.
        preprocessing: of a case's intensities, for the network alone.
        mm_per_pixel: smallest and largest scale seen in training, None where unknown.
        organs: that the network finds in an image, in the order of its maps.
    """

    format: Literal[1] = 1
    name: str
    size: int = Field(ge=16)
    preprocessing: Preprocessing = Preprocessing()
    mm_per_pixel: tuple[float, float] | None = None
    schedule: Schedule
    network: AnyNetworkConfig
    recovery: Recovery = Recovery()
    organs: tuple[Organ, ...] = ()
    card: Card = Card()

    @model_validator(mode="before")
    @classmethod
    def _older(cls, values: Any) -> Any:
        return with_preprocessing(values)

    @model_validator(mode="after")
    def _grids(self) -> ModelSpec:
        check_design(self)
        check_organs(self.network, self.organs)
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
        """Voxels per side of the grid on which fields are composed."""
        return network_kind(self.network).state(self)

    @property
    def condition(self) -> tuple[ConditionNumber, ...]:
        """The numbers that the model takes beside image and level; none for most."""
        return network_kind(self.network).condition(self.network)


def spec_error(error: ValidationError, where: str) -> InputError | None:
    """The ``InputError`` that a check of a spec or a config raised first, and in which file."""
    cause = error.errors()[0].get("ctx", {}).get("error")
    if not isinstance(cause, InputError):
        return None
    place = f"{where}: {cause.where}" if cause.where else where
    return InputError(cause.what, where=place, expected=cause.expected, do=cause.do)


@dataclass(frozen=True, eq=False)
class Model:
    """A spec with its network, in evaluation mode, on a device; ``file`` and its ``sha256``.

    ``sha256`` is that of the file without ``statistics``, which are of its training images.
    """

    spec: ModelSpec
    network: nn.Module
    device: torch.device
    sha256: str
    file: str = ""
    statistics: FitStatistics | None = None

    def predict(
        self, images: Tensor, level: int, condition: Sequence[float] | None = None
    ) -> Tensor:
        """Velocity that takes deformation away, per unit of tau.

        Args:
            images: (N, 1, *size) in 0..1, of one deformation, e.g. the slices of a stack.
            level: the level they stand at, 1 or more.
            condition: one number for each of the spec's ``condition``; None for their defaults.

        Returns:
            (1, D, *state), state voxels per unit of tau, on the CPU: the mean over the images.

        Raises:
            InputError: the model takes no condition, or another.
        """
        kind, spec = network_kind(self.spec.network), self.spec
        outputs = [found for found, _ in self._outputs(images, level, condition)]
        output = torch.cat(outputs).mean(0, keepdim=True)
        return smooth(kind.velocity(spec, output, level), spec.recovery.smoothing)

    def organ_shares(self, images: Tensor) -> Tensor | None:
        """Where the model's organs are in undeformed images, as it finds them.

        Args:
            images: (N, 1, *size) in 0..1, of one deformation.

        Returns:
            (1, K, *state), 0 to 1, on the CPU: the mean over the images; None without organs.
        """
        spec, found = self.spec, []
        if not spec.organs:
            return None
        for _, logits in self._outputs(images, max(spec.schedule.levels // 20, 1), organs=True):
            assert logits is not None
            found.append(logits.sigmoid())
        return resized(torch.cat(found).mean(0, keepdim=True), spec.state)

    def fit_of(self, images: Tensor) -> ImageFit:
        """Whether the undeformed images (N, 1, *size) of a case, in 0..1, fit the model."""
        statistics, name = self.statistics, self.spec.name
        found = None if statistics is None else self.features(images, statistics.level)
        if statistics is None or found is None:
            return ImageFit("unknown", None, None, name)
        features, drift = found
        score = statistics.score(features)
        return ImageFit(verdict_of(score), score, drift, name)

    def features(self, images: Tensor, level: int) -> tuple[NDArray[np.float64], float] | None:
        """What the network sees in undeformed images, see ``image_features``; None if unknown.

        Args:
            images: (N, 1, *size) in 0..1.
            level: at which they are shown to the network.

        Returns:
            (N, F), and the drift: the mean length of what would be corrected, % of the side.
        """
        seen = self._activations(images, level)
        if seen is None:
            return None
        spec = self.spec
        output = seen.velocity.mean(0, keepdim=True)
        velocity = network_kind(spec.network).velocity(spec, output, level)
        drift = velocity.norm(dim=1).mean() * spec.schedule.tau(level) * 100 / spec.state
        return image_features(seen), float(drift)

    def _activations(self, images: Tensor, level: int) -> Activations | None:
        if self._prepared is not None:
            return self._prepared.activations(images.float().cpu(), level)
        kind, found = network_kind(self.spec.network), list[Activations]()
        for image in images.to(self.device).split(1):
            levels = torch.full((1,), level, device=self.device)
            one = kind.activations(self.network, image, levels)
            if one is None:
                return None
            found.append(one.on_cpu())
        return Activations.joined(found)

    @cached_property
    def _prepared(self) -> PreparedNetwork | None:
        """The network made ready to predict on the CPU; None where there is no such form."""
        if self.device.type != "cpu":
            return None
        return network_kind(self.spec.network).prepared(self.spec, self.network)

    def _outputs(
        self,
        images: Tensor,
        level: int,
        condition: Sequence[float] | None = None,
        organs: bool = False,
    ) -> Iterator[tuple[Tensor, Tensor | None]]:
        """The network's outputs in the order of the images, and logits of organs if asked for."""
        kind, spec = network_kind(self.spec.network), self.spec
        numbers = checked_condition(spec.network, condition)
        if numbers is None and self._prepared is not None:
            yield self._prepared(images.float().cpu(), level, organs)
            return
        more = None if numbers is None else torch.tensor([numbers], device=self.device)
        levels = torch.full((1,), level, device=self.device)
        call = kind.output_with_organs if organs else kind.output
        for image in images.to(self.device):
            found = call(spec, self.network, image[None], levels, more)
            output, logits = found if isinstance(found, tuple) else (found, None)
            yield output.float().cpu(), None if logits is None else logits.float().cpu()


def with_variety(model: Model, variety: float | None) -> Model:
    """The model with another default variety, 0 to 1; None leaves it."""
    if variety is None:
        return model
    recovery = model.spec.recovery.model_copy(update={"variety": variety})
    return replace(model, spec=model.spec.model_copy(update={"recovery": recovery}))
