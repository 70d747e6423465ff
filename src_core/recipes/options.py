"""How a field is applied, and a recipe made again."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from src_core.errors.options import Display, option_class, same
from src_core.generation.options import Interpolation, LabelInterpolation, Options
from src_core.io.field_kinds import field_kinds
from src_core.io.formats import field_conventions

__all__ = ["ApplyOptions", "ReplayOptions"]


def _read() -> dict[str, str]:
    """Conventions that say of which kind a field is."""
    return {each.name: each.words for each in field_conventions() if each.kind}


def _kind(name: str | None) -> str | None:
    if name is not None and name not in field_kinds():
        raise ValueError(name)
    return name


@option_class
class ApplyOptions:
    """How a displacement field is applied to images and labels."""

    inverse: bool = Field(default=False, description="Apply the inverse map.")
    interpolation: Interpolation = same(Options, "interpolation")
    label_interpolation: LabelInterpolation = same(Options, "label_interpolation")
    field_format: Annotated[str | None, Display(none="as the file says", choices=_read)] = Field(
        default=None, description="Format of the field, where the file does not say it."
    )
    field_kind: Annotated[
        str | None,
        AfterValidator(_kind),
        Display(label="Values", none="as the file says", choices=field_kinds),
    ] = Field(
        default=None,
        description="What the values of the field are, where the header does not say it or is "
        "wrong.",
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
