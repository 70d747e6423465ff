"""The options of an evaluation."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, Field

from src_core.errors.options import Display, option_class, option_field, same
from src_core.evaluation.levels import checked_range, levels_form
from src_core.experiments.options import EachOnce, RunOptions, names_form, numbers_form
from src_core.generation.options import Options
from src_core.models.options import ModelOptions

__all__ = ["COMPARED_ROWS", "EQUAL_SPREAD_ROWS", "ROWS", "EvaluationRequest", "RowName"]

RowName = Literal[
    "random",
    "recovered",
    "no network",
    "elastic",
    "no network equal spread",
    "elastic equal spread",
    "release",
    "registered",
]
#: Rows of a level, in the order of tables.
ROWS: tuple[RowName, ...] = get_args(RowName)
#: Rows whose label sizes vary over the seeds as much as the recovered ones.
EQUAL_SPREAD_ROWS: tuple[RowName, ...] = ("no network equal spread", "elastic equal spread")
#: Rows that are as large, or vary as much, as the recovered one.
COMPARED_ROWS: tuple[RowName, ...] = ("no network", "elastic", *EQUAL_SPREAD_ROWS)

_MANY = "whole numbers of 1 or more, separated by commas"
_Number = Annotated[int, Field(ge=1)]
_Range = Annotated[str, AfterValidator(checked_range)]


@option_class
class EvaluationRequest:
    """A model, a data set, and what is measured; each option is described by its field."""

    model: str = Field(description=option_field(ModelOptions, "model").help)
    dataset: Path = Field(
        description="A folder with images/ and labels/, or a CSV: image, labels, subject, split."
    )
    out: Path = Field(description="Folder of tables, figures and records.")
    levels: Annotated[tuple[_Number | _Range, ...], EachOnce, levels_form()] = Field(
        default=(30, 45, 55, 65, 70),
        min_length=1,
        description="Start levels of the recovery; from a range, such as 30:70, each seed draws "
        "its own.",
    )
    seeds: int = Field(
        default=4, ge=1, description="Number of random seeds for each case and level."
    )
    cases: Annotated[int | None, Display(none="all")] = Field(
        default=None, ge=1, description="Number of cases, spread over the subjects."
    )
    steps: Annotated[
        tuple[_Number, ...] | None,
        numbers_form("steps", _MANY),
        Display(none="the model's own"),
    ] = Field(
        default=None,
        min_length=1,
        description="Steps of the recovery; several, such as 8,1,2,4, are compared.",
    )
    variety: float | None = same(Options, "variety")
    slice: Literal["largest", "middle"] = Field(
        default="largest",
        description="The slice of a 2D model's case: that with the largest labelled area, or the "
        "middle one of those with every label.",
    )
    rows: Annotated[tuple[RowName, ...] | None, names_form(ROWS), Display(none="all")] = Field(
        default=None, min_length=1, description="Fields to measure at each level."
    )
    elastic_points: Annotated[int | None, Display(none="11")] = Field(
        default=None, ge=4, description="Control points on each side of the elastic row's B-spline."
    )
    reference: Annotated[Path | None, Display(none="the CSV's rows with split=train")] = Field(
        default=None, description="Labelled cases of other real subjects, to compare shapes with."
    )
    segmenter: Annotated[Path | None, Display(none="one is trained")] = Field(
        default=None,
        description="Segmentation network of an earlier evaluation, segmenter.safetensors.",
    )
    segmenter_batches: int = Field(
        default=1200, ge=0, description="Batches to train a segmenter for; 0 leaves it out."
    )
    release: Annotated[Path | None, Display(none="no such row")] = Field(
        default=None, description="The published weights, a .pth file, for a row of their own."
    )
    registered: Annotated[Path | None, Display(none="no such row")] = Field(
        default=None,
        description="Folder of fields between real subjects, for a row of their own; they are "
        "registered once and stored there.",
    )
    registered_fields: int = Field(
        default=24, ge=1, description="Number of fields to register, where the folder has none."
    )
    training_spreads: Annotated[Path | None, Display(none="no forecast")] = Field(
        default=None,
        description="A JSON file of measure and spread in training images, such as "
        '{"area 1": 0.18}, for the forecast of the law of variety.',
    )
    resume: bool = same(RunOptions, "resume")
    overwrite: bool = same(RunOptions, "overwrite")
    device: str = same(ModelOptions, "device")
