"""``drdm pairs``: registration pairs with the field between them known (paper, Algorithm 4)."""

from __future__ import annotations

from typing import Any

from src_core.augment.formats import PAIR_LAYOUTS
from src_core.augment.request import NOT_OF_PAIRS
from src_core.cli.batch import carry_out
from src_core.cli.data_set_run import DataSet, RunFolder, data_set_groups, request_of
from src_core.cli.options import with_options
from src_core.cli.parameters import SummaryJson

__all__ = ["pairs"]


_OWN = ("per_case", "levels", "between", "formats")


@with_options(**data_set_groups(*_OWN, formats=PAIR_LAYOUTS, leave_out=NOT_OF_PAIRS))
def pairs(
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
    """Moving and fixed images of each case, and the fields between them in both directions.

    Example: drdm pairs scans --per-case 8 --levels 30:70 --between 20:50 --out pairs
    """
    own = {"dataset": dataset, "out": out, **own}
    own["between"] = own["between"] or own["levels"]
    carry_out(request_of(own, shared, generation, filters, scale), json, **network)
