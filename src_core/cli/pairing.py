"""``drdm pairs``: registration pairs with the field between them known (paper, Algorithm 4)."""

from __future__ import annotations

from typing import Annotated

import typer

from src_core.cli.batch import carry_out
from src_core.cli.run_options import Dataset, RunFolder, RunOptions, with_run_options

__all__ = ["pairs"]


@with_run_options
def pairs(
    dataset: Dataset,
    out: RunFolder,
    run: RunOptions,
    per_case: Annotated[int, typer.Option(help="Pairs from every case.")] = 32,
    levels: Annotated[
        str,
        typer.Option(
            help="Of the deformation that makes the moving image: lowest:highest, a list such as "
            "30,45=2,60 (weights), or 50~6 (normal)."
        ),
    ] = "30:70",
    between: Annotated[
        str, typer.Option(help="Of the deformation from moving to fixed, as --levels without it.")
    ] = "",
    format: Annotated[
        str,
        typer.Option(
            help="Of pairs (a folder each), nifti (moving/, fixed/ and so on) and learn2reg; "
            "several separated by commas."
        ),
    ] = "pairs",
) -> None:
    """Moving and fixed images of each case, and the fields between them in both directions.

    Example: drdm pairs scans --per-case 8 --levels 30:70 --between 20:50 --out pairs
    """
    from src_core.augment import PAIR_FORMATS, parse_distribution, parse_formats

    request = run.request(
        dataset=dataset,
        out=out,
        per_case=per_case,
        levels=parse_distribution(levels),
        between=parse_distribution(between or levels, option="between"),
        formats=parse_formats(format, PAIR_FORMATS),
    )
    carry_out(request, run.model, run.device, run.json)
