"""What the verbs over a data set share: their options, and the request that these make."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from src_core.augment.filters import Filters
from src_core.augment.formats import FormatText, format_form
from src_core.augment.request import NOT_SHARED, Request
from src_core.cli.options import OptionGroup, group
from src_core.errors.options import OptionField, option_field
from src_core.generation.options import Options
from src_core.models.options import ModelOptions

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["DataSet", "RunFolder", "data_set_groups", "request_of"]

DataSet = Annotated[Path, typer.Argument(help=option_field(Request, "dataset").help)]
RunFolder = Annotated[
    Path, typer.Option("--out", help="Folder of the run; absent or empty, except with --resume.")
]


def data_set_groups(
    *own: str, formats: Mapping[str, FormatText], leave_out: tuple[str, ...] = ()
) -> dict[str, OptionGroup]:
    """Groups of a verb over a data set.

    Args:
        own: fields of ``Request`` that this verb has besides those that all have.
        formats: its layouts.
        leave_out: options of a generation that it does not have.
    """
    shared = ("seed", "split", "field_format", "spacing")
    return {
        "own": group(Request, *own, formats=_layout(formats), unset=("between",)),
        "shared": group(Request, *shared),
        "generation": group(Options, leave_out=(*NOT_SHARED, *leave_out)),
        "filters": group(Filters),
        "scale": group(Request, "workers", "dask", "resume"),
        "network": group(ModelOptions),
    }


def request_of(
    own: dict[str, Any],
    shared: dict[str, Any],
    generation: dict[str, Any],
    filters: dict[str, Any],
    scale: dict[str, Any],
) -> Request:
    """The request of these options.

    Raises:
        InputError: an option is not possible.
    """
    return Request(**own, **shared, **scale, options=generation, filters=Filters(**filters))


def _layout(formats: Mapping[str, FormatText]) -> OptionField:
    known = option_field(Request, "formats")
    return replace(known, default=(next(iter(formats)),), text=format_form(formats))
