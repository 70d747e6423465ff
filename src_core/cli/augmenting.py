"""``drdm augment``: a labelled data set, made many times as large (paper, Algorithm 3)."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from src_core.cli.failures import FAILED, resumable, terminable
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
            help="A folder with images/ and labels/, a CSV (image, labels, subject, split), or "
            "an nnU-Net v2 raw or decathlon data set."
        ),
    ],
    out: Annotated[Path, typer.Option(help="Folder, absent or empty.")],
    per_case: Annotated[int, typer.Option(help="New cases from every case.")] = 32,
    levels: Annotated[
        str,
        typer.Option(help="Lowest:highest, a list such as 30,45=2,60 (weights), or 50~6 (normal)."),
    ] = "30:70",
    seed: Annotated[int, typer.Option(help="Of all draws.")] = 1,
    model: Annotated[str, typer.Option(help="A model's name, or its file.")] = "cardiac-sax",
    format: Annotated[
        str,
        typer.Option(
            help="Of cases (a folder each, with everything), nifti (images/ and labels/), nnunet "
            "and decathlon; several separated by commas."
        ),
    ] = "cases",
    split: Annotated[str, typer.Option(help="Only the cases of this split of a CSV.")] = "",
    with_sources: Annotated[
        bool, typer.Option("--with-sources", help="Write every case itself, too, as number 000.")
    ] = False,
    dataset_id: Annotated[
        int, typer.Option(min=1, max=999, help="Number of an nnU-Net data set.")
    ] = 500,
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
    min_mm: Annotated[
        float | None, typer.Option(help="Turn down what moves less, at its largest.")
    ] = None,
    max_mm: Annotated[
        float | None, typer.Option(help="Turn down what moves more, at its largest.")
    ] = None,
    max_volume_change: Annotated[
        float | None, typer.Option(help="Turn down a label's change of volume above so many %.")
    ] = None,
    keep_labels: Annotated[
        bool, typer.Option("--keep-labels", help="Turn down cases that lose a label.")
    ] = False,
    keep_whole: Annotated[
        bool, typer.Option("--keep-whole", help="Turn down cases in which a label is split.")
    ] = False,
    retries: Annotated[
        int, typer.Option(help="Further seeds, at the same level, for what is turned down.")
    ] = 0,
    workers: Annotated[
        int, typer.Option(help="Processes at work, one CPU thread each; the bits stay the same.")
    ] = 1,
    dask: Annotated[
        str, typer.Option(help="Address of a Dask scheduler; its workers do the work.")
    ] = "",
    resume: Annotated[bool, typer.Option("--resume", help="Go on where the run stopped.")] = False,
    device: Device = "auto",
    json: Annotated[
        bool, typer.Option("--json", help="Print a summary as JSON, nothing else.")
    ] = False,
) -> None:
    """A labelled data set, augmented: every case at many levels and seeds.

    Example: drdm augment scans --per-case 32 --levels 30:70 --format nifti --out more
    """
    from src_core.augment import Filters, Request, make_plan, parse_distribution, parse_formats
    from src_core.library import load_model

    request = Request(
        dataset=dataset,
        out=out,
        per_case=per_case,
        levels=parse_distribution(levels),
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
        filters=Filters(min_mm, max_mm, max_volume_change, keep_labels, keep_whole, retries),
        with_sources=with_sources,
        number=dataset_id,
        workers=workers,
        dask=dask,
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
    refused: Counter[str] = Counter()
    told: dict[tuple[str, str], Made] = {}
    with resumable(), terminable(), progress("augmenting") as advance:
        for done, made in enumerate(augment(plan, model), start=1):
            counts[made.state] += 1
            refused.update(made.refused)
            if made.message and made.state != "rejected":
                _tell_once(made, told)
            advance(done, len(plan.jobs), made.job.name)
    failures = [
        {"case": case, "why": why} for (case, why), m in told.items() if m.state == "failed"
    ]
    states = ("made", "kept", "rejected", "failed")
    return {**{s: counts[s] for s in states}, "refused": dict(refused), "failures": failures}


def _tell_once(made: Made, told: dict[tuple[str, str], Made]) -> None:
    if told.setdefault((made.job.case, made.message), made) is made:
        tell(f"{'failed' if made.state == 'failed' else 'warning'}: {made.message}")


def _close(plan: Plan, summary: dict[str, Any], json: bool) -> None:
    """Draw the sheet, say how it went, and exit with 1 where a case is missing."""
    from src_core.augment.index import FAILURES, INDEX, MANIFEST
    from src_core.augment.sheet import save_sheet
    from src_core.augment.summary import save_summary

    out, there = plan.request.out, summary["made"] + summary["kept"]
    sheet = save_sheet(out, plan.request.spacing) if there else None
    page = save_summary(out, summary["failed"])
    if json:
        files = {"index": INDEX, "manifest": MANIFEST, "summary": page.name}
        shown = None if sheet is None else str(sheet)
        print_json({**summary, **{k: str(out / f) for k, f in files.items()}, "sheet": shown})
    else:
        print(", ".join(f"{name} {summary[name]}" for name in ("made", "kept", "failed")))
        _show_refused(summary)
        print(f"written to {out}: {INDEX}, {page.name}" + (f", {sheet.name}" if sheet else ""))
    if summary["failed"]:
        tell(f"error: {summary['failed']} new cases are missing, {out / FAILURES} says why")
        raise typer.Exit(FAILED)


def _show_refused(summary: dict[str, Any]) -> None:
    """What the filters turned down, where they did."""
    if refused := summary["refused"]:
        whys = ", ".join(f"{why} {count}" for why, count in sorted(refused.items()))
        print(f"turned down {sum(refused.values())} seeds: {whys}; rejected {summary['rejected']}")
