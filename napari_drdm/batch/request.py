"""The values of the batch dock's fields, as the engine's request. No Qt."""

from __future__ import annotations

from typing import Any

from src_core.augment.filters import Filters
from src_core.augment.request import NOT_SHARED, Request
from src_core.errors import InputError
from src_core.errors.options import option_fields, parsed
from src_core.generation.options import Options

__all__ = ["missing", "request_of"]


def missing(values: dict[str, Any], model: object) -> str:
    """What has to be chosen first, or nothing."""
    if not values["dataset"].name:
        return "choose a data set first"
    if model is None:
        return "import a model first, in the deformation explorer"
    if not values["formats"]:
        return "tick a layout first"
    return "" if values["out"].name else "choose an output folder first"


def request_of(values: dict[str, Any], model: object) -> Request:
    """The request; a folder that holds a run is resumed.

    Args:
        values: of all fields, by the engine's names; levels as text.
        model: what is chosen, or None.

    Raises:
        InputError: something is missing, or not possible.
    """
    from src_core.augment.products import CASES
    from src_core.augment.run_folder import run_file

    if first := missing(values, model):
        raise InputError(first)
    resume = (values["out"] / run_file(CASES)).is_file()
    filters = Filters(**_of(Filters, values))
    options = {n: v for n, v in _of(Options, values).items() if n not in NOT_SHARED}
    return Request(**_of(Request, values), options=options, filters=filters, resume=resume)


def _of(model: type, values: dict[str, Any]) -> dict[str, Any]:
    """The values of a class's fields, those in a text form read."""
    options = option_fields(model)
    return parsed(options, {name: value for name, value in values.items() if name in options})
