"""Options that the paper's two tasks share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from src_core.augment.levels import levels_text, parse_levels
from src_core.errors import InputError
from src_core.errors.options import Display, TextForm, option_class, same
from src_core.experiments.options import RunOptions
from src_core.models.options import ModelOptions

__all__ = ["LevelRange", "TaskOptions", "check_levels"]

#: Smallest and largest level.
LevelRange = Annotated[
    tuple[int, int], TextForm(parse_levels, levels_text, "lowest:highest, such as 30:70")
]


@option_class
class TaskOptions:
    """Data sets, the model and the seeds of a task."""

    train: Path = Field(
        description="Labelled cases: a folder, or the rows of a CSV with split=train."
    )
    test: Path = Field(description="Cases of other subjects; in a CSV, the rows with split=test.")
    out: Path = Field(description="Folder of results, table and figure.")
    model: str = same(ModelOptions, "model")
    levels: LevelRange = Field(default=(30, 70), description="Levels of the model's deformations.")
    batch: int = Field(default=16, ge=1, description="Samples of each training step.")
    seed: int = Field(default=1, ge=0, description="Random seed of all draws.")
    repeats: int = Field(
        default=1, ge=1, description="Trainings of each method, by seeds of their own."
    )
    fields: Annotated[Path | None, Display(none="OUT/fields")] = Field(
        default=None, description="Folder of deformations, to share them between runs."
    )
    resume: bool = same(RunOptions, "resume")
    overwrite: bool = same(RunOptions, "overwrite")
    device: str = same(ModelOptions, "device")


def check_levels(levels: tuple[int, int], highest: int) -> None:
    """Refuse a range of levels that a model does not have.

    Raises:
        InputError: it is not within 1 to the highest, or descends.
    """
    low, high = levels
    if not 1 <= low <= high <= highest:
        raise InputError(
            f"{low}:{high} is not possible", option="levels", expected=f"levels of 1 to {highest}"
        )
