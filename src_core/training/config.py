"""What a training run is made of; one TOML file, checked here."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from src_core.errors import InputError
from src_core.model import Recovery, check_grids
from src_core.nn import NetworkConfig
from src_core.nn.velocity import VelocityUNetConfig
from src_core.schedule import Schedule

__all__ = ["Augmentation", "Optimisation", "Stage", "TrainConfig", "Weights", "read_config"]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Augmentation(_Frozen):
    """Random poses and contrasts (paper 3.2).

    Attributes:
        free_rotation: share of samples turned by any angle; the others by at most ``rotation``.
        rotation: radians.
        translation: share of the side.
        flip: probability per axis.
        crop: smallest and largest side of the random resized crop, as a share, per axis.
        gain, offset: standard deviations of the contrast.
        threshold: probability of a random threshold at either end of the intensities.
    """

    free_rotation: float = Field(default=0.5, ge=0, le=1)
    rotation: float = Field(default=0.35, ge=0)
    translation: float = Field(default=0.125, ge=0)
    flip: float = Field(default=0.5, ge=0, le=1)
    crop: tuple[float, float] = (0.6, 1.0)
    gain: float = Field(default=0.1, ge=0)
    offset: float = Field(default=0.1, ge=0)
    threshold: float = Field(default=0.3, ge=0, le=1)


class Stage(_Frozen):
    """A stretch of the curriculum: which levels and amplitudes are drawn.

    Attributes:
        until: share of all samples at which the stage ends.
        levels: lowest and highest level drawn, uniformly, 0 included where it is asked for.
        weaker: share of samples whose velocity is scaled by U(0, 1).
        undeformed: share of samples with no deformation at all.
    """

    until: float = Field(gt=0, le=1)
    levels: tuple[int, int] = (0, 80)
    weaker: float = Field(default=0.28, ge=0, le=1)
    undeformed: float = Field(default=0.07, ge=0, le=1)


class Weights(_Frozen):
    """Weights of the loss terms (eq. 14).

    Errors are relative to the sample's own velocity, so that a weak one counts as a strong one.

    Attributes:
        floor: share of a full velocity below which errors count absolutely.
        tail: relative squared error above which only its square root counts.
    """

    distance: float = 1.0
    angle: float = 0.2
    gradient: float = 1.0
    floor: float = Field(default=0.15, gt=0)
    tail: float = Field(default=1.5, gt=0)
    smoothness: float = 0.0
    folding: float = 0.0


class Optimisation(_Frozen):
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


class TrainConfig(_Frozen):
    """Everything that decides a model, but its data."""

    name: str
    seed: int = 0
    size: int = Field(default=256, ge=16)
    percentiles: tuple[float, float] = (0.5, 99.5)
    title: str = ""
    data: str = ""
    licence: str = ""
    limits: str = ""
    schedule: Schedule = Schedule()
    network: NetworkConfig = VelocityUNetConfig()
    augmentation: Augmentation = Augmentation()
    curriculum: tuple[Stage, ...] = (Stage(until=1.0),)
    weights: Weights = Weights()
    optimisation: Optimisation = Optimisation()
    recovery: Recovery = Recovery()

    @model_validator(mode="after")
    def _grids(self) -> TrainConfig:
        check_grids(self.size, self.schedule, self.network)
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
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise InputError(f"config: {first['msg']}", where=f"{path}: {key}".rstrip(": ")) from error
