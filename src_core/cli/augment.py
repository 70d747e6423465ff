"""``drdm augment``: a labelled data set, made many times as large (paper, Algorithm 3)."""

from __future__ import annotations

from typing import Any

from src_core.augment.formats import CASE_LAYOUTS
from src_core.cli.batch import carry_out
from src_core.cli.data_set_run import DataSet, RunFolder, data_set_groups, request_of
from src_core.cli.options import with_options
from src_core.cli.parameters import SummaryJson

__all__ = ["augment"]

_OWN = ("per_case", "levels", "spread", "like", "formats", "with_sources", "number")


@with_options(**data_set_groups(*_OWN, formats=CASE_LAYOUTS))
def augment(
    dataset: DataSet,
    out: RunFolder,
    own: dict[str, Any],
    network: dict[str, Any],
    shared: dict[str, Any],
    generation: dict[str, Any],
    filters: dict[str, Any],
    scale: dict[str, Any],
    json: SummaryJson = False,
) -> None:
    """Augment a labelled data set: new cases of every case, at many levels and seeds.

    Example: drdm augment scans --per-case 32 --levels 30:70 --format nifti --out more
    """
    own = {"dataset": dataset, "out": out, **own}
    carry_out(request_of(own, shared, generation, filters, scale), json, **network)
