"""``drdm augment``: a labelled data set, made many times as large (paper, Algorithm 3)."""

from __future__ import annotations

from typing import Annotated

import typer

from src_core.cli import parameters as p
from src_core.cli.batch import carry_out

__all__ = ["augment"]


def augment(
    dataset: p.Dataset,
    out: p.RunFolder,
    per_case: Annotated[int, typer.Option(help="New cases from every case.")] = 32,
    levels: Annotated[
        str,
        typer.Option(help="Lowest:highest, a list such as 30,45=2,60 (weights), or 50~6 (normal)."),
    ] = "30:70",
    seed: p.RunSeed = 1,
    model: p.ModelName = "cardiac-sax",
    format: Annotated[
        str,
        typer.Option(
            help="Of cases (a folder each, with everything), nifti (images/ and labels/), nnunet "
            "and decathlon; several separated by commas."
        ),
    ] = "cases",
    split: p.Split = "",
    with_sources: Annotated[
        bool, typer.Option("--with-sources", help="Write every case itself, too, as number 000.")
    ] = False,
    dataset_id: Annotated[
        int, typer.Option(min=1, max=999, help="Number of an nnU-Net data set.")
    ] = 500,
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
    """A labelled data set, augmented: every case at many levels and seeds.

    Example: drdm augment scans --per-case 32 --levels 30:70 --format nifti --out more
    """
    from src_core.augment import Filters, Request, parse_distribution, parse_formats

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
    carry_out(request, model, device, json)
