"""Parameters that several verbs share, and the text forms that they take."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal

import typer

__all__ = [
    "AllowFolds",
    "Device",
    "Format",
    "Images",
    "Interpolation",
    "Json",
    "LabelInterpolation",
    "Labels",
    "Level",
    "MaxMm",
    "ModelName",
    "Out",
    "Overwrite",
    "Region",
    "Seed",
    "Slices",
    "Spacing",
    "Steps",
    "parse_region",
]

Images = Annotated[
    list[Path],
    typer.Argument(help="Image, or several co-registered ones; the first drives the model."),
]
Labels = Annotated[list[Path] | None, typer.Option(help="Label map; may be repeated.")]
Out = Annotated[
    Path | None,
    typer.Option(help="Folder, absent or empty; without it NAME-drdm, NAME-moved or drdm-demo."),
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace files in the folder.")]
Json = Annotated[bool, typer.Option("--json", help="Print the metrics as JSON, nothing else.")]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")]
Level = Annotated[
    int | None, typer.Option(help="Deformation level, 0 = the image itself; 48 without it.")
]
MaxMm = Annotated[
    float | None, typer.Option(help="Instead of a level: move nothing by more than this, mm.")
]
Seed = Annotated[int, typer.Option(help="Which deformation.")]
Steps = Annotated[
    int | None, typer.Option(help="Jumps of the recovery, as the model says without it.")
]
Format = Annotated[
    Literal["itk", "fsl", "mha"],
    typer.Option("--field-format", help="itk (NIfTI in LPS mm, ANTs too), fsl, or mha."),
]
Interpolation = Annotated[Literal["linear", "cubic"], typer.Option(help="Of images; cubic in 2D.")]
LabelInterpolation = Annotated[
    Literal["linear", "nearest"], typer.Option(help="Of labels: one-hot linear argmax, or nearest.")
]
Region = Annotated[
    str | None,
    typer.Option(help="Deform this box alone: first:past-last voxel, such as 40:168,30:158,0:10."),
]
ModelName = Annotated[str, typer.Option("--model", help="A model's name, or its file.")]
Slices = Annotated[
    Literal["shared", "each"],
    typer.Option(help="2D models on stacks: one deformation shared, or one for each."),
]
AllowFolds = Annotated[bool, typer.Option("--allow-folds", help="Leave out the guard.")]
Spacing = Annotated[float | None, typer.Option(help="mm per pixel of PNG or TIFF.")]


def parse_region(text: str | None) -> tuple[tuple[int, int], ...] | None:
    """``40:168,30:158,0:10`` as ends along X, Y and Z.

    Raises:
        InputError: it is not written so.
    """
    if text is None:
        return None
    if not re.fullmatch(r"\d+:\d+,\d+:\d+,\d+:\d+", text):
        from src_core.errors import InputError

        raise InputError(
            f"the region {text} cannot be read",
            where="--region",
            expected="first:past-last voxel along X, Y and Z, such as 40:168,30:158,0:10",
        )
    ends = [tuple(map(int, axis.split(":"))) for axis in text.split(",")]
    return tuple((low, high) for low, high in ends)
