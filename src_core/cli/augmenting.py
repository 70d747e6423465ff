"""``drdm augment``: a labelled data set, made many times as large (paper, Algorithm 3)."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from src_core.cli.failures import FAILED, resumable
from src_core.cli.parameters import Device, Format, Interpolation, LabelInterpolation, Steps
from src_core.cli.report import print_json, progress, tell

if TYPE_CHECKING:
    from src_core.augment import Made, Plan
    from src_core.model import Model

__all__ = ["augment"]


def augment(
    dataset: Annotated[
        Path,
        typer.Argument(
            help="A folder with images/ and labels/, or a CSV: image, labels, subject, split."
        ),
    ],
    out: Annotated[Path, typer.Option(help="Folder, absent or empty.")],
    per_case: Annotated[int, typer.Option(help="New cases from every case.")] = 32,
    levels: Annotated[str, typer.Option(help="Lowest:highest, drawn uniformly.")] = "30:70",
    seed: Annotated[int, typer.Option(help="Of all draws.")] = 1,
    model: Annotated[str, typer.Option(help="A model's name, or its file.")] = "cardiac-sax",
    format: Annotated[
        str,
        typer.Option(
            help="cases (a folder each, with everything), nifti (images/ and labels/), or both."
        ),
    ] = "cases",
    split: Annotated[str, typer.Option(help="Only the cases of this split of a CSV.")] = "",
    steps: Steps = None,
    slices: Annotated[
        Literal["shared", "each"],
        typer.Option(help="2D models on stacks: one deformation shared, or one for each."),
    ] = "shared",
    interpolation: Interpolation = "linear",
    label_interpolation: LabelInterpolation = "linear",
    allow_folds: Annotated[
        bool, typer.Option("--allow-folds", help="Leave out the guard.")
    ] = False,
    spacing: Annotated[float | None, typer.Option(help="mm per pixel of PNG or TIFF.")] = None,
    field_format: Format = "itk",
    resume: Annotated[bool, typer.Option("--resume", help="Go on where the run stopped.")] = False,
    device: Device = "auto",
    json: Annotated[
        bool, typer.Option("--json", help="Print a summary as JSON, nothing else.")
    ] = False,
) -> None:
    """A labelled data set, augmented: every case at many levels and seeds.

    Example: drdm augment scans --per-case 32 --levels 30:70 --format nifti --out more
    """
    from src_core.augment import Request, make_plan, parse_formats, parse_levels
    from src_core.library import load_model

    request = Request(
        dataset=dataset,
        out=out,
        per_case=per_case,
        levels=parse_levels(levels),
        seed=seed,
        formats=parse_formats(format),
        options={
            "steps": steps,
            "slices": slices,
            "interpolation": interpolation,
            "label_interpolation": label_interpolation,
            "allow_folds": allow_folds,
        },
        field_format=field_format,
        spacing=spacing,
        split=split,
        resume=resume,
    )
    loaded = load_model(model, device)
    plan = make_plan(request, loaded)
    _announce(plan)
    summary = _follow(plan, loaded)
    _close(plan, summary, json)


def _announce(plan: Plan) -> None:
    from src_core.augment.disk import free_bytes, in_words

    whole, free = plan.bytes_each * len(plan.jobs), free_bytes(plan.request.out)
    tell(
        f"{len(plan.jobs)} new cases of {plan.cases}, at most {in_words(whole)} before compression"
    )
    if whole > free:
        tell(f"warning: {in_words(free)} are free, the run stops when the disk is full")
    for note in plan.notes:
        tell(f"note: {note}")


def _follow(plan: Plan, model: Model) -> dict[str, Any]:
    """Do the plan; counts by state, and each message once for each case."""
    from src_core.augment import augment

    counts: Counter[str] = Counter()
    told: dict[tuple[str, str], Made] = {}
    with resumable(), progress("augmenting") as advance:
        for done, made in enumerate(augment(plan, model), start=1):
            counts[made.state] += 1
            if made.message and (made.job.case, made.message) not in told:
                told[made.job.case, made.message] = made
                tell(f"{'failed' if made.state == 'failed' else 'warning'}: {made.message}")
            advance(done, len(plan.jobs), made.job.name)
    failures = [
        {"case": case, "why": why} for (case, why), m in told.items() if m.state == "failed"
    ]
    return {**{s: counts[s] for s in ("made", "kept", "failed")}, "failures": failures}


def _close(plan: Plan, summary: dict[str, Any], json: bool) -> None:
    """Draw the sheet, say how it went, and exit with 1 where a case is missing."""
    from src_core.augment.index import FAILURES, INDEX
    from src_core.augment.sheet import save_sheet

    out, there = plan.request.out, summary["made"] + summary["kept"]
    sheet = save_sheet(out, plan.request.spacing) if there else None
    if json:
        shown = None if sheet is None else str(sheet)
        print_json({**summary, "index": str(out / INDEX), "sheet": shown})
    else:
        print(f"made {summary['made']}, kept {summary['kept']}, failed {summary['failed']}")
        print(f"written to {out}: {INDEX}" + (f", {sheet.name}" if sheet else ""))
    if summary["failed"]:
        tell(f"error: {summary['failed']} new cases are missing, {out / FAILURES} says why")
        raise typer.Exit(FAILED)
