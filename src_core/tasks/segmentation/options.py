"""The options of a comparison of augmentations."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import Field

from src_core.errors.options import option_class, same
from src_core.experiments.options import EachOnce, names_form, numbers_form
from src_core.tasks.options import LevelRange, Process, TaskOptions

__all__ = ["Loss", "MethodName", "SegmentationRequest"]

MethodName = Literal["none", "bigaug", "appearance", "elastic", "drdm", "drdm+appearance"]
Loss = Literal["bce", "bce+dice"]


@option_class
class SegmentationRequest:
    """Data sets, methods and trainings; each option is described by its field."""

    train: Path = same(TaskOptions, "train")
    test: Path = same(TaskOptions, "test")
    out: Path = same(TaskOptions, "out")
    model: str = same(TaskOptions, "model")
    methods: Annotated[tuple[MethodName, ...], EachOnce, names_form(get_args(MethodName))] = Field(
        default=("none", "bigaug", "elastic", "drdm", "drdm+appearance"),
        min_length=1,
        description="Augmentations to compare.",
    )
    subjects: Annotated[tuple[int, ...], EachOnce, numbers_form("subjects")] = Field(
        default=(5,), min_length=1, description="Numbers of training subjects, such as 5,20,50."
    )
    times: int = Field(
        default=32,
        ge=1,
        description="New variants of each case; a training draws from these and the case itself.",
    )
    levels: LevelRange = same(TaskOptions, "levels")
    steps: int = Field(default=2000, ge=1, description="Steps of every training.")
    batch: int = same(TaskOptions, "batch", description="Slices of each training step.")
    size: int = Field(
        default=128, ge=32, multiple_of=16, description="Pixels on each side of a slice."
    )
    loss: Loss = Field(default="bce", description="Loss of the training; bce is the paper's.")
    rate: float = Field(
        default=1e-3, gt=0, le=1, description="Adam's first learning rate; it falls to a tenth."
    )
    seed: int = same(TaskOptions, "seed")
    repeats: int = same(TaskOptions, "repeats")
    fields: Path | None = same(TaskOptions, "fields")
    process: Process = same(TaskOptions, "process")
    prepare: bool = same(TaskOptions, "prepare")
    resume: bool = same(TaskOptions, "resume")
    overwrite: bool = same(TaskOptions, "overwrite")
    device: str = same(TaskOptions, "device")
