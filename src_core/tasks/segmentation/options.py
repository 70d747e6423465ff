"""The options of a comparison of augmentations."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import Field

from src_core.errors.options import Display, option_class, same
from src_core.experiments.options import EachOnce, names_form, numbers_form
from src_core.tasks.options import LevelRange, Process, TaskOptions

__all__ = ["MethodName", "SegmentationRequest"]

MethodName = Literal[
    "none", "pose", "pose+intensities", "random", "elastic", "drdm", "drdm+keep", "bigaug",
    "nnunet", "appearance", "drdm+appearance", "registered",
]  # fmt: skip
_DEFAULT: tuple[MethodName, ...] = (
    "none", "pose", "pose+intensities", "random", "elastic", "drdm", "drdm+keep", "bigaug",
    "nnunet",
)  # fmt: skip


@option_class
class SegmentationRequest:
    """Data sets, methods and trainings; each option is described by its field."""

    train: Path = same(TaskOptions, "train")
    test: Path = same(TaskOptions, "test")
    out: Path = same(TaskOptions, "out")
    model: str = same(TaskOptions, "model")
    methods: Annotated[tuple[MethodName, ...], EachOnce, names_form(get_args(MethodName))] = Field(
        default=_DEFAULT,
        min_length=1,
        description="Augmentations to compare; registered, an oracle and no fair method, deforms "
        "by fields between all training subjects, made with their labels.",
    )
    subjects: Annotated[tuple[int, ...], EachOnce, numbers_form("subjects")] = Field(
        default=(5,), min_length=1, description="Numbers of training subjects, such as 1,5,20."
    )
    subsets: int = Field(
        default=1, ge=1, description="Random choices of the training subjects, for each number."
    )
    times: int = Field(default=32, ge=1, description="Deformations of each case.")
    levels: LevelRange = same(TaskOptions, "levels")
    elastic_strength: float = Field(
        default=1.0,
        gt=0,
        le=4,
        description="Mean displacement of elastic deformations, by that of the model's.",
    )
    steps: int = Field(default=3000, ge=4, description="Steps of every training.")
    batch: int = same(TaskOptions, "batch", default=8, description="Slices of each training step.")
    size: int = Field(
        default=96, ge=32, multiple_of=16, description="Pixels on each side of a slice."
    )
    spacing: float = Field(default=2.0, gt=0, le=100, description="Side of a pixel, mm.")
    rate: float = Field(
        default=2e-3, gt=0, le=1, description="AdamW's largest learning rate; it falls to 0."
    )
    seed: int = same(TaskOptions, "seed")
    repeats: int = same(TaskOptions, "repeats")
    external: Annotated[Path | None, Display(none="no such test")] = Field(
        default=None, description="Labelled cases of another source, tested by the same networks."
    )
    validate: bool = Field(
        default=False, description="Test on the rows with split=val, to choose options."
    )
    fields: Annotated[Path | None, Display(none="OUT/fields")] = same(TaskOptions, "fields")
    process: Process = same(TaskOptions, "process")
    prepare: bool = same(TaskOptions, "prepare")
    together: int = Field(
        default=1, ge=1, le=64, description="Trainings at a time; more than 1 serve a GPU."
    )
    report_only: bool = same(TaskOptions, "report_only")
    resume: bool = same(TaskOptions, "resume")
    overwrite: bool = same(TaskOptions, "overwrite")
    device: str = same(TaskOptions, "device")
