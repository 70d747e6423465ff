"""How files are read and written."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from src_core.errors.options import Display, option_class

__all__ = ["FieldFormat", "FileOptions"]

FieldFormat = Literal["itk", "fsl", "mha"]

_TOOLS = {"itk": "ITK and ANTs", "fsl": "FSL", "mha": "ITK .mha"}


@option_class
class FileOptions:
    """Options of reading pictures and of writing results."""

    spacing: Annotated[float | None, Display(label="Pixel", none="1 mm", unit="mm", decimals=3)] = (
        Field(
            default=None,
            gt=0,
            allow_inf_nan=False,
            description="Size of a pixel of PNG and TIFF in mm; other files hold theirs.",
        )
    )
    field_format: Annotated[FieldFormat, Display(label="Fields for", choices=_TOOLS)] = Field(
        default="itk",
        description="Format of displacement fields: itk (NIfTI in LPS mm, for ITK and ANTs), fsl, "
        "or mha (needs SimpleITK).",
    )
    overwrite: Annotated[bool, Display(docks=())] = Field(
        default=False, description="Replace the files in the output folder."
    )
