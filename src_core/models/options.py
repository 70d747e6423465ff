"""Which model, and where it runs."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from src_core.errors.options import Display, option_class

__all__ = ["DEFAULT_MODEL", "ImportOptions", "ModelOptions"]

DEFAULT_MODEL = "cardiac-sax"


@option_class
class ModelOptions:
    """A trained model, and the device its network runs on."""

    model: str = Field(default=DEFAULT_MODEL, description="Trained model: its name, or its file.")
    device: str = Field(
        default="auto",
        description="Where the network runs: auto (a GPU where there is one), cpu, cuda, cuda:N "
        "or mps.",
    )


@option_class
class ImportOptions:
    """How a model is added."""

    name: Annotated[str | None, Display(none="the model's own", docks=())] = Field(
        default=None, description="Another name for the model."
    )
