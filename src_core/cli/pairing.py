"""``drdm pairs``: registration pairs with the field between them known (paper, Algorithm 4)."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from src_core.cli.failures import FAILED, resumable
from src_core.cli.parameters import Device, Format, Interpolation, LabelInterpolation, Steps
from src_core.cli.report import print_json, progress, tell

if TYPE_CHECKING:
    from src_core.model import Model
    from src_core.pairs import PairsPlan

__all__ = ["pairs"]


def pairs(
    dataset: Annotated[
        Path,
        typer.Argument(
            help="A folder with images/ and labels/, or a CSV: image, labels, subject, split."
        ),
    ],
    out: Annotated[Path, typer.Option(help="Folder, absent or empty.")],
    per_case: Annotated[int, typer.Option(help="Pairs from every case.")] = 32,
    levels: Annotated[
        str, typer.Option(help="Of the deformation that makes the moving image.")
    ] = "30:70",
    between: Annotated[
        str, typer.Option(help="Of the deformation from moving to fixed. [as --levels]")
    ] = "",
    seed: Annotated[int, typer.Option(help="Of all draws.")] = 1,
    model: Annotated[str, typer.Option(help="A model's name, or its file.")] = "cardiac-sax",
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
    workers: Annotated[int, typer.Option(help="Processes that share the work.")] = 1,
    device: Device = "auto",
    json: Annotated[
        bool, typer.Option("--json", help="Print a summary as JSON, nothing else.")
    ] = False,
) -> None:
    """Moving and fixed images of each case, and the fields between them in both directions.

    Example: drdm pairs scans --per-case 8 --levels 30:70 --between 20:50 --out pairs
    """
    from src_core.augment import parse_levels
    from src_core.library import load_model
    from src_core.pairs import PairsRequest, make_plan

    request = PairsRequest(
        dataset=dataset,
        out=out,
        per_case=per_case,
        levels=parse_levels(levels),
        between=parse_levels(between or levels),
        seed=seed,
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
        workers=workers,
    )
    loaded = load_model(model, device)
    plan = make_plan(request, loaded)
    tell(f"{len(plan.jobs)} pairs of {plan.cases} cases")
    _close(plan, _follow(plan, loaded), json)


def _follow(plan: PairsPlan, model: Model) -> dict[str, Any]:
    """Do the plan; counts by state, and each message once for each case."""
    from src_core.pairs import make_pairs

    counts: Counter[str] = Counter()
    failures: dict[tuple[str, str], None] = {}
    warned: set[tuple[str, str]] = set()
    with resumable(), progress("pairing") as advance:
        for done, made in enumerate(make_pairs(plan, model), start=1):
            counts[made.state] += 1
            said = (made.job.case, made.message)
            if made.message and said not in warned:
                warned.add(said)
                tell(f"{'failed' if made.state == 'failed' else 'warning'}: {made.message}")
            if made.state == "failed":
                failures[said] = None
            advance(done, len(plan.jobs), made.job.name)
    told = [{"case": case, "why": why} for case, why in failures]
    return {**{s: counts[s] for s in ("made", "kept", "failed")}, "failures": told}


def _close(plan: PairsPlan, summary: dict[str, Any], json: bool) -> None:
    """Say how it went, and exit with 1 where a pair is missing."""
    from src_core.pairs.index import FAILURES, INDEX

    out = plan.request.out
    if json:
        print_json({**summary, "index": str(out / INDEX)})
    else:
        print(f"made {summary['made']}, kept {summary['kept']}, failed {summary['failed']}")
        print(f"written to {out}: {INDEX}")
    if summary["failed"]:
        tell(f"error: {summary['failed']} pairs are missing, {out / FAILURES} says why")
        raise typer.Exit(FAILED)
