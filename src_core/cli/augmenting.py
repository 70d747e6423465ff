"""``drdm augment``: a labelled data set, made many times as large (paper, Algorithm 3)."""

from __future__ import annotations

from typing import Annotated

import typer

from src_core.cli.batch import carry_out
from src_core.cli.run_options import Dataset, RunFolder, RunOptions, with_run_options

__all__ = ["augment"]


@with_run_options
def augment(
    dataset: Dataset,
    out: RunFolder,
    run: RunOptions,
    per_case: Annotated[int, typer.Option(help="New cases from every case.")] = 32,
    levels: Annotated[
        str,
        typer.Option(help="Lowest:highest, a list such as 30,45=2,60 (weights), or 50~6 (normal)."),
    ] = "30:70",
    format: Annotated[
        str,
        typer.Option(
            help="Of cases (a folder each, with everything), nifti (images/ and labels/), nnunet "
            "and decathlon; several separated by commas."
        ),
    ] = "cases",
    with_sources: Annotated[
        bool, typer.Option("--with-sources", help="Write every case itself, too, as number 000.")
    ] = False,
    dataset_id: Annotated[
        int, typer.Option(min=1, max=999, help="Number of an nnU-Net data set.")
    ] = 500,
) -> None:
    """A labelled data set, augmented: every case at many levels and seeds.

    Example: drdm augment scans --per-case 32 --levels 30:70 --format nifti --out more
    """
    from src_core.augment import parse_distribution, parse_formats

    request = run.request(
        dataset=dataset,
        out=out,
        per_case=per_case,
        levels=parse_distribution(levels),
        formats=parse_formats(format),
        with_sources=with_sources,
        number=dataset_id,
    )
    carry_out(request, run.model, run.device, run.json)
