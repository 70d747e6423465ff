"""What a training run is made of; one TOML file, checked here."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from src_core.diffusion.schedule import Schedule
from src_core.errors import InputError
from src_core.models.model import Recovery, spec_error
from src_core.models.nn.velocity import VelocityUNetConfig
from src_core.models.organs import Organ
from src_core.models.prediction import (
    AnyNetworkConfig,
    check_design,
    check_organs,
    network_kind,
)
from src_core.models.preprocessing import Preprocessing, with_preprocessing

__all__ = [
    "Augmentation",
    "Distillation",
    "Natural",
    "Optimisation",
    "Stage",
    "TrainConfig",
    "Validation",
    "Weights",
    "read_config",
]


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Augmentation(_Settings):
    """Random poses and contrasts (paper 3.2).

    Attributes:
        free_rotation: share of samples turned by any angle; the others by at most ``rotation``.
        rotation: radians.
        translation: share of the side.
        flip: probability per axis.
        crop: smallest and largest side of the random resized crop, as a share.
        aspect: largest logarithm by which an axis of the crop is longer or shorter than that.
        gain, offset: standard deviations of the contrast.
        threshold: probability of a random threshold at either end of the intensities.
    """

    free_rotation: float = Field(default=0.5, ge=0, le=1)
    rotation: float = Field(default=0.35, ge=0)
    translation: float = Field(default=0.125, ge=0)
    flip: float = Field(default=0.5, ge=0, le=1)
    crop: tuple[float, float] = (0.6, 1.0)
    aspect: float = Field(default=0.1, ge=0)
    gain: float = Field(default=0.1, ge=0)
    offset: float = Field(default=0.1, ge=0)
    threshold: float = Field(default=0.3, ge=0, le=1)


class Natural(_Settings):
    """Variation of organs as between people, which is never asked back; needs labels.

    Attributes:
        share: of the samples.
        size: deviation of the logarithm of each organ's diameter.
        common: the same of all organs together.
        turn: deviation of the turn of all together, radians.
        shift: deviation of their shift, a share of the side.
    """

    share: float = Field(default=0.0, ge=0, le=1)
    size: float = Field(default=0.12, ge=0)
    common: float = Field(default=0.1, ge=0)
    turn: float = Field(default=0.2, ge=0)
    shift: float = Field(default=0.04, ge=0)


class Stage(_Settings):
    """A stretch of the curriculum: which levels and amplitudes are drawn.

    Attributes:
        until: share of all samples at which the stage ends.
        levels: lowest and highest level drawn, uniformly, 0 included where it is in the range.
        weaker: share of samples whose velocity is scaled by U(0, 1).
        undeformed: share of samples without deformation.
    """

    until: float = Field(gt=0, le=1)
    levels: tuple[int, int] = (0, 80)
    weaker: float = Field(default=0.28, ge=0, le=1)
    undeformed: float = Field(default=0.07, ge=0, le=1)


class Weights(_Settings):
    """Weights of the loss terms (eq. 14).

    Errors are relative to the sample's own velocity, so that a weak one counts as a strong one.

    Attributes:
        floor: share of a full velocity below which errors count absolutely.
        tail: relative squared error above which only its square root counts.
        organs: of the error of the maps of organs, where the network predicts them.
    """

    distance: float = 1.0
    angle: float = 0.2
    gradient: float = 1.0
    floor: float = Field(default=0.15, gt=0)
    tail: float = Field(default=1.5, gt=0)
    smoothness: float = 0.0
    folding: float = 0.0
    organs: float = Field(default=0.3, ge=0)


class Optimisation(_Settings):
    """A cosine schedule counted in samples, clipping, and an average of the weights.

    Attributes:
        optimiser: ``muon`` takes matrices with ``learning_rate``, the rest by Adam with
            ``adam_rate``; ``adam`` takes all with ``learning_rate``.
    """

    samples: int = Field(default=100_000, ge=1)
    batch: int = Field(default=8, ge=1)
    optimiser: Literal["muon", "adam"] = "muon"
    learning_rate: float = Field(default=1e-2, gt=0)
    adam_rate: float = Field(default=1e-3, gt=0)
    warmup: int = Field(default=800, ge=0)
    betas: tuple[float, float] = (0.9, 0.99)
    clip: float = Field(default=1.0, gt=0)
    ema: float = Field(default=0.999, ge=0, lt=1)
    checkpoint_minutes: float = Field(default=3.0, gt=0)
    log_every: int = Field(default=100, ge=1)
    threads: int = Field(default=1, ge=1)


class Validation(_Settings):
    """Validation while training; nothing of it changes the training's bits.

    Attributes:
        share: of the subjects (files, where none are named) held out of training, where no column
            ``split`` names them; 0 validates on training images.
        cases: images, spread over the files; 0 for no validation.
        levels: of the table and the pictures.
        time: share of the training's time that it may cost; tables that would cost more are left.
    """

    share: float = Field(default=0.1, ge=0, lt=1)
    cases: int = Field(default=4, ge=0)
    levels: tuple[int, ...] = Field(default=(30, 48, 70), min_length=1)
    time: float = Field(default=0.05, gt=0)


class Distillation(_Settings):
    """How a teacher is followed.

    Attributes:
        weight: of the mean squared distance to its velocity, relative, as the distance of the loss.
        sigma: of the fields that the teacher was trained on; None takes it from the teacher's file.
    """

    weight: float = Field(default=0.5, ge=0)
    sigma: float | None = Field(default=None, gt=0)


class TrainConfig(_Settings):
    """Everything that decides a model, but its data.

    Attributes:
        window: pixels per side of random windows of fields to train on, at the scale of the whole,
            for kinds of network that take them; 0 trains on whole fields.
    """

    name: str
    seed: int = 0
    size: int = Field(default=256, ge=16)
    window: int = Field(default=0, ge=0)
    preprocessing: Preprocessing = Preprocessing()
    title: str = ""
    data: str = ""
    licence: str = ""
    limits: str = ""
    schedule: Schedule = Schedule()
    network: AnyNetworkConfig = VelocityUNetConfig()
    organs: tuple[Organ, ...] = ()
    augmentation: Augmentation = Augmentation()
    natural: Natural = Natural()
    curriculum: tuple[Stage, ...] = (Stage(until=1.0),)
    weights: Weights = Weights()
    optimisation: Optimisation = Optimisation()
    recovery: Recovery = Recovery()
    validation: Validation = Validation()
    distillation: Distillation = Distillation()

    @model_validator(mode="before")
    @classmethod
    def _older(cls, values: Any) -> Any:
        return with_preprocessing(values)

    @model_validator(mode="after")
    def _grids(self) -> TrainConfig:
        check_design(self)
        check_organs(self.network, self.organs)
        if self.organs and self.window:
            raise ValueError("organs need whole images: leave window out")
        if self.natural.share and not self.organs:
            raise ValueError("natural variation needs organs")
        if self.window and not network_kind(self.network).windows:
            raise ValueError(f"a network of kind {self.network.kind} takes no window: leave it out")
        if self.window > self.size:
            raise ValueError(f"window {self.window} is larger than size {self.size}")
        return self


def read_config(path: Path | str) -> TrainConfig:
    """A config file, checked.

    Raises:
        InputError: no such file, no TOML, or a setting that does not exist or is out of range.
    """
    path = Path(path)
    try:
        return TrainConfig.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise InputError(
            "config cannot be read", where=str(path), do="give a .toml file"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError("config is not TOML", where=f"{path}: {error}") from error
    except ValidationError as error:
        if known := spec_error(error, str(path)):
            raise known from error
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise InputError(f"config: {first['msg']}", where=f"{path}: {key}".rstrip(": ")) from error
