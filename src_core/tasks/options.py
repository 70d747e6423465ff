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

__all__ = ["WHOLE", "LevelRange", "Process", "TaskOptions", "check_levels", "parse_process"]

#: Smallest and largest level.
LevelRange = Annotated[
    tuple[int, int], TextForm(parse_levels, levels_text, "lowest:highest, such as 30:70")
]


#: The process of a run that is not shared.
WHOLE = (1, 1)
_PROCESS = "I/N with I of 1 to N, such as 2/4"


def parse_process(text: str) -> tuple[int, int]:
    """``2/4`` as (2, 4).

    Raises:
        InputError: not two numbers, the first 1 to the second.
    """
    number, _, count = text.partition("/")
    if not (number.isdecimal() and count.isdecimal() and 1 <= int(number) <= int(count)):
        raise InputError(f"{text} is not possible", option="process", expected=_PROCESS)
    return int(number), int(count)


def _process_text(process: tuple[int, int]) -> str:
    return "{}/{}".format(*process)


#: Number of a process, and of all that share a run.
Process = Annotated[tuple[int, int], TextForm(parse_process, _process_text, _PROCESS)]


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
    process: Process = Field(
        default=WHOLE,
        description="Of N processes that share the run's trainings in one folder, the I-th; a call "
        "without it writes the results.",
    )
    prepare: bool = Field(
        default=False, description="Only make what the trainings read; train nothing."
    )
    report_only: bool = Field(
        default=False, description="Write the tables of the trainings that are finished."
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
