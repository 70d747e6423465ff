"""``drdm task``: what a model's deformations are good for (paper, Tables 2 and 3)."""

from __future__ import annotations

from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from src_core.cli.failures import resumable, terminable
from src_core.cli.parameters import Device, ModelName
from src_core.cli.report import print_json, progress

if TYPE_CHECKING:
    from src_core.tasks.task import PreparedTask

__all__ = ["follow", "parse_levels", "parse_numbers", "task"]

task = typer.Typer(
    help="Downstream experiments: what new anatomies are good for.", no_args_is_help=True
)


@task.command()
def segmentation(
    train: Annotated[
        Path,
        typer.Argument(help="Labelled cases: a folder, or a CSV, of which rows with split=train."),
    ],
    test: Annotated[
        Path, typer.Argument(help="Cases of other subjects; of a CSV, rows with split=test.")
    ],
    out: Annotated[Path, typer.Option(help="Folder for results, table and figure.")],
    model: ModelName = "cardiac-sax",
    methods: Annotated[
        str,
        typer.Option(help="Of none, bigaug, appearance, elastic, drdm, drdm+appearance."),
    ] = "none,bigaug,elastic,drdm,drdm+appearance",
    subjects: Annotated[str, typer.Option(help="Training subjects, such as 5,20,50.")] = "5",
    times: Annotated[int, typer.Option(help="New cases of each case.")] = 32,
    levels: Annotated[str, typer.Option(help="Of the model's deformations.")] = "30:70",
    steps: Annotated[int, typer.Option(help="Of every training.")] = 2000,
    batch: Annotated[int, typer.Option(help="Slices a step.")] = 16,
    size: Annotated[int, typer.Option(help="Pixels a side of the slices.")] = 128,
    loss: Annotated[Literal["bce", "bce+dice"], typer.Option(help="The paper has bce.")] = "bce",
    rate: Annotated[float, typer.Option(help="Adam's first step; it falls to a tenth.")] = 1e-3,
    seed: Annotated[int, typer.Option(help="Of all draws.")] = 1,
    repeats: Annotated[int, typer.Option(help="Trainings of each, by other seeds.")] = 1,
    fields: Annotated[
        Path | None,
        typer.Option(help="Folder of deformations to share between runs; OUT/fields without."),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Keep the trainings there are, make the others.")
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Begin afresh.")] = False,
    device: Device = "auto",
    json: Annotated[
        bool, typer.Option("--json", help="Print the results as JSON, nothing else.")
    ] = False,
) -> None:
    """Table 2: a U-Net from few labels, augmented in several ways.

    Example: drdm task segmentation acdc.csv acdc.csv --subjects 5,20 --out few
    """
    from src_core.tasks.segmentation.prepare import SegmentationRequest
    from src_core.tasks.segmentation.run import prepare

    prepared = prepare(
        SegmentationRequest(
            train,
            test,
            out,
            model=model,
            methods=tuple(word.strip() for word in methods.split(",")),
            subjects=parse_numbers("--subjects", subjects),
            times=times,
            levels=parse_levels(levels),
            steps=steps,
            batch=batch,
            size=size,
            loss=loss,
            rate=rate,
            seed=seed,
            repeats=repeats,
            fields=fields,
            resume=resume,
            overwrite=overwrite,
            device=device,
        )
    )
    follow(prepared)
    if json:
        print_json(prepared.report)
        return
    print((out / "table.md").read_text(encoding="utf-8"), end="")
    print(f"written to {out}")


def follow(prepared: PreparedTask) -> None:
    """Do a task, with a progress bar for each of its stages."""
    from src_core.tasks.task import run_task

    for stage, some in groupby(run_task(prepared), key=attrgetter("stage")):
        with resumable(), terminable(), progress(stage) as advance:
            for step in some:
                advance(step.done, step.total, step.words)


def parse_numbers(option: str, text: str) -> tuple[int, ...]:
    """``5,20`` as numbers.

    Raises:
        InputError: it is not written so.
    """
    from src_core.errors import InputError

    try:
        return tuple(int(word) for word in text.split(","))
    except ValueError as error:
        raise InputError(
            f"{text} is not possible", where=option, expected="whole numbers separated by commas"
        ) from error


def parse_levels(text: str) -> tuple[int, int]:
    """``30:70`` as the smallest and the largest level.

    Raises:
        InputError: it is not written so.
    """
    from src_core.errors import InputError

    low, _, high = text.partition(":")
    if not low.isdigit() or not (high or low).isdigit():
        raise InputError(
            f"{text} is not possible", where="--levels", expected="smallest:largest, such as 30:70"
        )
    return int(low), int(high or low)
