"""``drdm evaluate``: what a model is worth, beside what needs no network."""

from __future__ import annotations

from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Annotated

import typer

from src_core.cli.failures import resumable
from src_core.cli.report import print_json, progress, tell

__all__ = ["evaluate"]


def evaluate(
    model: Annotated[str, typer.Argument(help="A model's name, or its file.")],
    dataset: Annotated[
        Path,
        typer.Argument(
            help="A folder with images/ and labels/, or a CSV: image, labels, subject, split."
        ),
    ],
    out: Annotated[Path, typer.Option(help="Folder for tables, figures and records.")],
    levels: Annotated[str, typer.Option(help="Start levels.")] = "30,45,55,65,70",
    seeds: Annotated[int, typer.Option(help="Fields a case and level.")] = 4,
    cases: Annotated[
        int | None, typer.Option(help="So many, spread over subjects; all without.")
    ] = None,
    steps: Annotated[
        str | None,
        typer.Option(
            help="Jumps of the recovery; several compare them: 8,1,2,4,70. The model's without."
        ),
    ] = None,
    rows: Annotated[
        str | None,
        typer.Option(help="Some of: random,recovered,no network,elastic,release; all without."),
    ] = None,
    elastic_points: Annotated[
        int | None, typer.Option(help="Control points a side of the elastic row; 11 without.")
    ] = None,
    reference: Annotated[
        Path | None,
        typer.Option(
            help="Other real subjects with labels; the CSV's rows with split=train without."
        ),
    ] = None,
    segmenter: Annotated[
        Path | None,
        typer.Option(help="A segmenter of an earlier evaluation; one is trained without."),
    ] = None,
    segmenter_batches: Annotated[
        int, typer.Option(help="Batches to train a segmenter for; 0 leaves it out.")
    ] = 1200,
    release: Annotated[
        Path | None, typer.Option(help="The published weights, a .pth, for a row of their own.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where the run stopped.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Begin afresh.")] = False,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    json: Annotated[
        bool, typer.Option("--json", help="Print the evaluation as JSON, nothing else.")
    ] = False,
) -> None:
    """Table 1 and more: folds, removed energy, drift, stability, plausibility of shapes.

    Example: drdm evaluate cardiac-sax acdc.csv --cases 20 --out figures
    """
    from src_core.evaluation.prepare import EvaluationRequest, prepare
    from src_core.evaluation.run import run
    from src_core.evaluation.tables import shown_measures, shown_table

    request = EvaluationRequest(
        model=model,
        dataset=dataset,
        out=out,
        cases=cases,
        reference=reference,
        segmenter=segmenter,
        segmenter_batches=segmenter_batches,
        release=release,
        resume=resume,
        overwrite=overwrite,
        device=device,
        plan={
            "levels": _numbers("--levels", levels),
            "seeds": seeds,
            "steps": None if steps is None else _numbers("--steps", steps),
            "elastic_points": elastic_points,
            "rows": None if rows is None else tuple(w.strip() for w in rows.split(",")),
        },
    )
    prepared = prepare(request)
    for line in prepared.notes:
        tell(f"note: {line}")
    for stage, steps_of in groupby(run(prepared), key=attrgetter("stage")):
        with resumable(), progress(stage) as advance:
            for step in steps_of:
                advance(step.done, step.total, step.words)
    if json:
        print_json(prepared.report)
        return
    lines = (*shown_table(prepared.report), *shown_measures(prepared.report), f"written to {out}")
    for line in lines:
        print(line)


def _numbers(option: str, text: str) -> tuple[int, ...]:
    from src_core.errors import InputError

    try:
        return tuple(int(word) for word in text.split(","))
    except ValueError as error:
        raise InputError(
            f"{text} is not possible", where=option, expected="whole numbers separated by commas"
        ) from error
