"""The options of a test of targets."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from src_core.errors.options import Display, TextForm, option_class, same
from src_core.evaluation.options import EvaluationRequest
from src_core.experiments.options import EachOnce, RunOptions, numbers_form
from src_core.generation.options import Options
from src_core.models.options import ModelOptions
from src_core.tasks.options import Process, TaskOptions
from src_core.tasks.steering.target_sets import SETS_FORM, TargetSet, parse_sets

__all__ = ["SteeringRequest"]

#: Levels that move as little and as much as what targets ask for.
_PLAIN_LEVELS = (32, 48, 64, 80)


@option_class
class SteeringRequest:
    """Cases, targets and seeds; each option is described by its field."""

    test: Path = Field(
        description="Labelled cases; in a CSV, the rows with split=test, and those with "
        "split=train to compare shapes with."
    )
    out: Path = same(TaskOptions, "out")
    model: str = same(TaskOptions, "model")
    targets: Annotated[
        tuple[TargetSet, ...],
        BeforeValidator(parse_sets),
        TextForm(TargetSet.parse, str, SETS_FORM, many=True),
        Display(flag="target", none="sizes, thickness, a shift and a drag"),
    ] = Field(default=(), description="What a run asks for.")
    targets_file: Annotated[Path | None, Display(flag="targets", none="none")] = Field(
        default=None, description="A file of further targets, a line for each run."
    )
    cases: int | None = same(EvaluationRequest, "cases")
    seeds: int = Field(default=5, ge=1, description="Number of random seeds for each target.")
    level: int = same(Options, "level")
    plain_levels: Annotated[tuple[int, ...], EachOnce, numbers_form("plain_levels")] = Field(
        default=_PLAIN_LEVELS,
        min_length=1,
        description="Levels of the deformations without targets, of which those are compared that "
        "change the labels as much.",
    )
    plain_seeds: int = Field(
        default=10, ge=1, description="Number of random seeds at each of these levels."
    )
    slice: Literal["largest", "middle"] = same(EvaluationRequest, "slice", default="middle")
    reference: Path | None = same(EvaluationRequest, "reference")
    segmenter: Path | None = same(EvaluationRequest, "segmenter")
    segmenter_batches: int = same(EvaluationRequest, "segmenter_batches")
    validate: bool = Field(
        default=False, description="Use the rows with split=val, to choose options."
    )
    process: Process = same(TaskOptions, "process")
    report_only: bool = Field(
        default=False, description="Write the tables of the runs that are finished."
    )
    resume: bool = same(RunOptions, "resume")
    overwrite: bool = same(RunOptions, "overwrite")
    device: str = same(ModelOptions, "device")
