"""``drdm pairs``: registration pairs with the field between them known (paper, Algorithm 4)."""

from __future__ import annotations

from typing import Annotated

import typer

from src_core.cli import parameters as p
from src_core.cli.batch import carry_out

__all__ = ["pairs"]


def pairs(
    dataset: p.Dataset,
    out: p.RunFolder,
    per_case: Annotated[int, typer.Option(help="Pairs from every case.")] = 32,
    levels: Annotated[
        str,
        typer.Option(
            help="Of the deformation that makes the moving image: lowest:highest, a list such as "
            "30,45=2,60 (weights), or 50~6 (normal)."
        ),
    ] = "30:70",
    between: Annotated[
        str, typer.Option(help="Of the deformation from moving to fixed. [as --levels]")
    ] = "",
    seed: p.RunSeed = 1,
    model: p.ModelName = "cardiac-sax",
    format: Annotated[
        str,
        typer.Option(
            help="Of pairs (a folder each), nifti (moving/, fixed/ and so on) and learn2reg; "
            "several separated by commas."
        ),
    ] = "pairs",
    split: p.Split = "",
    steps: p.Steps = None,
    slices: p.Slices = "shared",
    interpolation: p.Interpolation = "linear",
    label_interpolation: p.LabelInterpolation = "linear",
    allow_folds: p.AllowFolds = False,
    spacing: p.Spacing = None,
    field_format: p.Format = "itk",
    min_mm: p.LeastMm = None,
    max_mm: p.MostMm = None,
    max_volume_change: p.MaxVolumeChange = None,
    keep_labels: p.KeepLabels = False,
    keep_whole: p.KeepWhole = False,
    retries: p.Retries = 0,
    workers: p.Workers = 1,
    dask: p.Dask = "",
    resume: p.Resume = False,
    device: p.Device = "auto",
    json: p.Summary = False,
) -> None:
    """Moving and fixed images of each case, and the fields between them in both directions.

    Example: drdm pairs scans --per-case 8 --levels 30:70 --between 20:50 --out pairs
    """
    from src_core.augment import PAIR_FORMATS, Filters, Request, parse_distribution, parse_formats

    request = Request(
        dataset=dataset,
        out=out,
        per_case=per_case,
        levels=parse_distribution(levels),
        between=parse_distribution(between or levels, where="--between"),
        seed=seed,
        formats=parse_formats(format, PAIR_FORMATS),
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
        workers=workers,
        dask=dask,
    )
    carry_out(request, model, device, json)
