"""What a training run takes besides its data set and config."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from src_core.errors.options import Display, option_class, same
from src_core.models.options import ModelOptions

__all__ = ["Precision", "TrainOptions"]

Precision = Literal["32", "bf16"]


@option_class
class TrainOptions:
    """Options of a training run."""

    resume: bool = Field(default=False, description="Continue where the run stopped.")
    init: Annotated[Path | None, Display(none="random weights")] = Field(
        default=None,
        description="Start from the weights of this model, or of the published .pth file.",
    )
    teacher: Annotated[Path | None, Display(none="no teacher")] = Field(
        default=None,
        description="Also train towards the predictions of this model, or of the published .pth.",
    )
    device: str = same(ModelOptions, "device")
    devices: int = Field(
        default=1, ge=1, description="Number of devices; they share each batch evenly."
    )
    precision: Precision = Field(
        default="32", description="Precision of activations; bf16 on CUDA only."
    )
    memory: Annotated[float, Display(unit="GiB")] = Field(
        default=2.0,
        ge=0,
        allow_inf_nan=False,
        description="GiB of images to keep in memory; more go to a file in the output folder.",
    )
