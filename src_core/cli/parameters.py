"""Parameters of the shell alone, which several verbs share: files, folders and what is printed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from src_core.errors.options import option_field
from src_core.models.options import ModelOptions

__all__ = [
    "CopyOut",
    "DemoOut",
    "Device",
    "Hold",
    "Images",
    "Json",
    "Labels",
    "ModelName",
    "MovedOut",
    "NewOut",
    "Points",
    "SummaryJson",
    "Surfaces",
]

Images = Annotated[
    list[Path],
    typer.Argument(help="Image, or several co-registered ones; the first drives the model."),
]
Labels = Annotated[list[Path] | None, typer.Option(help="Label map; may be repeated.")]
Points = Annotated[
    list[Path] | None,
    typer.Option(help="Landmarks that move along (CSV, FCSV, .mrk.json); may be repeated."),
]
Surfaces = Annotated[
    list[Path] | None,
    typer.Option(
        "--surface", help="A surface that moves along (VTK, VTP, STL, PLY); may be repeated."
    ),
]
_OUT = "Output folder, absent or empty."
DemoOut = Annotated[Path | None, typer.Option("--out", help=_OUT, show_default="drdm-demo")]
NewOut = Annotated[Path | None, typer.Option("--out", help=_OUT, show_default="NAME-drdm")]
MovedOut = Annotated[Path | None, typer.Option("--out", help=_OUT, show_default="NAME-moved")]
CopyOut = Annotated[Path | None, typer.Option("--out", help=_OUT, show_default="not written")]
ModelName = Annotated[str, typer.Option("--model", help=option_field(ModelOptions, "model").help)]
Device = Annotated[str, typer.Option(help=option_field(ModelOptions, "device").help)]
Hold = Annotated[
    list[int] | None,
    typer.Option(help="A label that keeps its size and place, as a target; may be repeated."),
]
Json = Annotated[bool, typer.Option("--json", help="Print the metrics as JSON and nothing else.")]
SummaryJson = Annotated[
    bool, typer.Option("--json", help="Print a summary as JSON and nothing else.")
]
