"""How a field is applied, and a recipe made again."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from src_core.errors.options import Display, option_class, same
from src_core.generation.options import Interpolation, LabelInterpolation, Options

__all__ = ["ApplyOptions", "ReplayOptions"]


@option_class
class ApplyOptions:
    """How a displacement field is applied to images and labels."""

    inverse: bool = Field(default=False, description="Apply the inverse map.")
    interpolation: Interpolation = same(Options, "interpolation")
    label_interpolation: LabelInterpolation = same(Options, "label_interpolation")
    field_format: Annotated[Literal["itk", "fsl"] | None, Display(none="as the file says")] = Field(
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
