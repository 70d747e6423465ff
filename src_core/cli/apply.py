"""``drdm apply``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from src_core.cli.failures import in_shell
from src_core.cli.options import group, with_options
from src_core.cli.parameters import Json, Labels, MovedOut, Points, Surfaces
from src_core.cli.point_files import point_sets, warn_of_points
from src_core.cli.report import print_json, show_labels, show_points, tell
from src_core.errors import InputError
from src_core.io.formats import without_ending
from src_core.io.options import FileOptions, PointOptions
from src_core.recipes.options import ApplyOptions

__all__ = ["apply"]


@with_options(
    chosen=group(ApplyOptions), files=group(FileOptions, "overwrite"), written=group(PointOptions)
)
def apply(
    field: Annotated[Path, typer.Argument(help="A displacement field, ours or another tool's.")],
    chosen: dict[str, Any],
    files: dict[str, Any],
    written: dict[str, Any],
    images: Annotated[
        list[Path] | None, typer.Argument(help="Image to warp, or several on one grid.")
    ] = None,
    labels: Labels = None,
    points: Points = None,
    surface: Surfaces = None,
    out: MovedOut = None,
    json: Json = False,
) -> None:
    """Apply any displacement field to other images, their labels, landmarks and surfaces.

    Landmarks and surfaces move with the tissue: x + u(x) is where the new image takes its content
    from, so that they go by the inverse map. A field for each frame, as generate --motion writes
    it, moves a cine of as many frames, or makes one of a single volume.

    Example: drdm apply new/displacement.nii.gz other.nii.gz --labels other_seg.nii.gz --out moved
    """
    from src_core.io import OutputFolder, read_case
    from src_core.io.field_files import read_field_file
    from src_core.recipes.apply import apply_field, apply_series
    from src_core.recipes.apply_points import apply_to_points

    moving = point_sets(points, surface, written["coordinates"])
    if not images and (labels or not moving):
        raise InputError("nothing to move", expected="an image, --points or --surface")
    found = read_field_file(field, chosen.pop("field_format"), chosen.pop("field_kind"))
    values, grid = found.displacement, found.grid
    chosen["inverse"] = chosen["inverse"] != found.kind.forward
    case = read_case(images, labels=labels or None) if images else None
    folder = out or Path(f"{case.name if case else without_ending(field)}-moved")
    series = values.shape[3] > 1
    u = values if series else values[..., 0, :]
    with OutputFolder(folder, **files) as place:
        if case is None:
            metrics = apply_to_points(moving, u, grid, place, inverse=chosen["inverse"])
        else:
            apply_it = apply_series if series else apply_field
            metrics = apply_it(case, u, grid, place, points=moving, kind=found.kind.name, **chosen)
    if found.kind.forward:
        tell(f"the field holds {found.kind.words}; its inverse moves images")
    warn_of_points(metrics)
    _show(metrics, folder, json)


def _show(metrics: dict[str, Any], folder: Path, json: bool) -> None:
    if metrics.get("covered_percent", 100) < 99.9:
        share = f"{metrics['covered_percent']:.1f} % of the image"
        tell(f"warning: the field covers {share}, the rest does not move")
    for warning in metrics.get("warnings", []):
        tell(f"WARNING: {in_shell(warning)}")
    if json:
        print_json(metrics)
        return
    if "max_mm" in metrics:
        print(f"displacement  max {metrics['max_mm']:.1f} mm, mean {metrics['mean_mm']:.1f} mm")
        show_labels(metrics)
    show_points(metrics)
    print(f"written to {folder}")
