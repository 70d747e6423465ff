"""How files are read and written."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from src_core.errors.options import BATCH, Display, option_class
from src_core.io.formats import field_conventions

__all__ = ["FieldFormat", "FileOptions", "PointOptions", "conventions"]

#: The name of a convention of ``src_core.io.formats``, such as ``itk``, ``fsl`` or ``mha``.
FieldFormat = str


def conventions() -> dict[str, str]:
    """Names of the conventions of displacement fields, and which tools read each."""
    return {convention.name: convention.words for convention in field_conventions()}


def _known(name: FieldFormat) -> FieldFormat:
    if name not in conventions():
        raise ValueError(name)
    return name


@option_class
class FileOptions:
    """Options of reading pictures and of writing results."""

    spacing: Annotated[
        float | None, Display(label="Pixel", none="1 mm", unit="mm", decimals=3, docks=(BATCH,))
    ] = Field(
        default=None,
        gt=0,
        allow_inf_nan=False,
        description="Size of a pixel of PNG and TIFF in mm; other files hold theirs.",
    )
    field_format: Annotated[
        FieldFormat,
        AfterValidator(_known),
        Display(label="Fields for", choices=conventions, docks=(BATCH,)),
    ] = Field(
        default="itk",
        description="Format of displacement fields; itk is NIfTI in LPS mm, for ITK and ANTs.",
    )
    overwrite: Annotated[bool, Display(docks=())] = Field(
        default=False, description="Replace the files in the output folder."
    )


@option_class
class PointOptions:
    """How landmarks and surfaces are read."""

    coordinates: Annotated[
        Literal["LPS", "RAS"] | None, Display(none="as the file states", docks=())
    ] = Field(
        default=None,
        description="Axes of the coordinates in files of points and surfaces that do not state "
        "them, mm.",
    )
