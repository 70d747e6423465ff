"""The options of a comparison of registration networks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import Field

from src_core.errors.options import Display, option_class, same
from src_core.experiments.options import EachOnce, names_form
from src_core.generation.options import Options
from src_core.tasks.options import LevelRange, Process, TaskOptions
from src_core.training.options import Precision, TrainOptions

__all__ = ["METHODS", "MethodName", "Pairing", "RegistrationRequest", "Similarity"]

#: none is no registration at all; +real is trained on real pairs too, without their labels, and
#: +mixed on real and synthetic pairs together.
MethodName = Literal[
    "none", "mrbs", "drdm", "none+real", "mrbs+real", "drdm+real", "mrbs+mixed", "drdm+mixed"
]
METHODS: tuple[MethodName, ...] = get_args(MethodName)
Pairing = Literal["subject", "between"]
Similarity = Literal["mse", "ncc"]

#: The network halves a side three times.
_SIDE_STEP = 8


@option_class
class RegistrationRequest:
    """Data sets, methods and trainings; each option is described by its field."""

    train: Path = same(TaskOptions, "train")
    test: Path = same(TaskOptions, "test")
    out: Path = same(TaskOptions, "out", description="Folder of results, table and weights.")
    model: str = same(TaskOptions, "model")
    methods: Annotated[tuple[MethodName, ...], EachOnce, names_form(METHODS)] = Field(
        default=METHODS[:6],
        min_length=1,
        description="Networks to compare: none, mrbs or drdm by their synthetic pairs, +real after "
        "training on real pairs, +mixed on real and synthetic ones.",
    )
    pairs: Pairing = Field(
        default="subject",
        description="Real pairs: two cases of one subject, or cases between two subjects (3D).",
    )
    subjects: Annotated[int | None, Display(none="all")] = Field(
        default=None, description="Number of training subjects."
    )
    times: int = Field(default=32, ge=1, description="Synthetic pairs of each case.")
    levels: LevelRange = same(TaskOptions, "levels")
    variety: Annotated[float | None, Display(none="the model's own")] = same(
        Options,
        "variety",
        description="How much of the new size, orientation and position of organs the model's "
        "deformations keep, 0 to 1; a model that finds no organs takes the training labels.",
    )
    steps: int = Field(default=10_000, ge=1, description="Training steps on synthetic pairs.")
    tuning: int = Field(
        default=10_000,
        ge=1,
        description="Training steps on real pairs; with resume, more of them continue a run.",
    )
    validation: Annotated[Path | None, Display(none="rows of TRAIN with split=val")] = Field(
        default=None, description="Labelled cases of further subjects, for the training curves."
    )
    every: int = Field(
        default=500, ge=1, description="Training steps between two points of a training curve."
    )
    batch: int = same(
        TaskOptions,
        "batch",
        default=12,
        description="Pairs of slices, or of volumes, of each training step.",
    )
    rate: float = Field(
        default=1e-4, gt=0, allow_inf_nan=False, description="Adam's learning rate."
    )
    similarity: Similarity = Field(
        default="mse", description="Similarity of images in the training on real pairs."
    )
    smooth: float = Field(
        default=0.01,
        ge=0,
        allow_inf_nan=False,
        description="Weight of the field's squared gradient, synthetic pairs.",
    )
    smooth_real: float = Field(
        default=0.01,
        ge=0,
        allow_inf_nan=False,
        description="Weight of the field's squared gradient, real pairs.",
    )
    mixing: float = Field(
        default=0.01,
        gt=0,
        allow_inf_nan=False,
        description="Weight of the synthetic pairs' loss where they are mixed with real ones.",
    )
    size: int = Field(
        default=128,
        ge=2 * _SIDE_STEP,
        multiple_of=_SIDE_STEP,
        description="Voxels on each side of the network's input.",
    )
    part: float = Field(
        default=1.0,
        ge=0.1,
        le=1,
        description="Central part that the network sees, a fraction of the longest side.",
    )
    seed: int = same(TaskOptions, "seed")
    repeats: int = same(TaskOptions, "repeats")
    fields: Path | None = same(TaskOptions, "fields")
    process: Process = same(TaskOptions, "process")
    prepare: bool = same(TaskOptions, "prepare")
    report_only: bool = same(
        TaskOptions,
        "report_only",
        description="Write the tables of the trainings in OUT that are finished; neither data nor "
        "a model is read.",
    )
    resume: bool = same(TaskOptions, "resume")
    overwrite: bool = same(TaskOptions, "overwrite")
    device: str = same(TaskOptions, "device")
    precision: Precision = same(TrainOptions, "precision")
