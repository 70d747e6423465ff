"""How a field is applied, and a recipe made again."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from src_core.errors.options import Display, option_class, same
from src_core.generation.options import Interpolation, LabelInterpolation, Options
from src_core.io.formats import field_conventions

__all__ = ["ApplyOptions", "ReplayOptions"]


def _read() -> dict[str, str]:
    """Conventions with a reader of their own."""
    return {each.name: each.words for each in field_conventions() if each.read}


@option_class
class ApplyOptions:
    """How a displacement field is applied to images and labels."""

    inverse: bool = Field(default=False, description="Apply the inverse map.")
    interpolation: Interpolation = same(Options, "interpolation")
    label_interpolation: LabelInterpolation = same(Options, "label_interpolation")
    field_format: Annotated[str | None, Display(none="as the file says", choices=_read)] = Field(
        default=None, description="Format of the field, where the file does not say it."
    )


@option_class
class ReplayOptions:
    """What is replayed, and where."""

    sample: Annotated[str | None, Display(none="none")] = Field(
        default=None, description="Name of the case or pair in a manifest.jsonl."
    )
    device: Annotated[str | None, Display(none="the recipe's")] = Field(
        default=None, description="Another device than the recipe's."
    )
