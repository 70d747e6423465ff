"""``drdm apply``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from src_core.cli.options import group, with_options
from src_core.cli.parameters import Json, Labels, MovedOut
from src_core.cli.report import print_json, show_labels, tell
from src_core.io.options import FileOptions
from src_core.recipes.options import ApplyOptions

__all__ = ["apply"]


@with_options(chosen=group(ApplyOptions), files=group(FileOptions, "overwrite"))
def apply(
    field: Annotated[Path, typer.Argument(help="A displacement field, ours or another tool's.")],
    images: Annotated[list[Path], typer.Argument(help="Image to warp, or several on one grid.")],
    chosen: dict[str, Any],
    files: dict[str, Any],
    labels: Labels = None,
    out: MovedOut = None,
    json: Json = False,
) -> None:
    """Apply any displacement field to other images and their labels.

    A field for each frame, as generate --motion writes it, moves a cine of as many frames, or
    makes one of a single volume.

    Example: drdm apply new/displacement.nii.gz other.nii.gz --labels other_seg.nii.gz --out moved
    """
    from src_core.io import OutputFolder, read_case, read_field_series
    from src_core.recipes.apply import apply_field, apply_series

    values, grid = read_field_series(field, chosen.pop("field_format"))
    case = read_case(images, labels=labels or None)
    folder = out or Path(f"{case.name}-moved")
    series = values.shape[3] > 1
    apply_it = apply_series if series else apply_field
    with OutputFolder(folder, **files) as place:
        moving = values if series else values[..., 0, :]
        metrics = apply_it(case, moving, grid, place, **chosen)
    if metrics["covered_percent"] < 99.9:
        share = f"{metrics['covered_percent']:.1f} % of the image"
        tell(f"warning: the field covers {share}, the rest does not move")
    if json:
        print_json(metrics)
    else:
        print(f"displacement  max {metrics['max_mm']:.1f} mm, mean {metrics['mean_mm']:.1f} mm")
        show_labels(metrics)
        print(f"written to {folder}")
