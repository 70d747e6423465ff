"""What the batch dock's fields say, as the engine's request. No Qt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from src_core.errors import InputError

if TYPE_CHECKING:
    from src_core.augment import Request

__all__ = ["missing", "request_of"]

_OPTIONS = ("steps", "slices", "interpolation", "label_interpolation")
_FILTERS = ("min_mm", "max_mm", "max_volume_change", "keep_labels", "keep_whole", "retries")
_ELSEWHERE = ("device", "levels")


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
    from src_core.augment import Filters, Request, parse_distribution
    from src_core.augment.products import CASES
    from src_core.augment.run_folder import run_file

    if first := missing(values, model):
        raise InputError(first)
    apart = (*_OPTIONS, *_FILTERS, *_ELSEWHERE)
    return Request(
        **{name: value for name, value in values.items() if name not in apart},
        levels=parse_distribution(values["levels"]),
        options={name: values[name] for name in _OPTIONS},
        filters=Filters(**{name: values[name] for name in _FILTERS}),
        resume=(values["out"] / run_file(CASES)).is_file(),
    )
