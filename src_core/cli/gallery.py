"""``drdm gallery``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from src_core.cli.options import group, with_options
from src_core.cli.parameters import Images, Labels
from src_core.cli.report import print_json, progress, tell
from src_core.generation.options import Options
from src_core.inspection.options import GalleryOptions, PlaneOptions
from src_core.io.options import FileOptions
from src_core.models.options import ModelOptions

if TYPE_CHECKING:
    from src_core.cases.case import Case
    from src_core.inspection.gallery import Gallery

__all__ = ["gallery"]

_Out = Annotated[
    Path | None,
    typer.Option("--out", help="Output folder, absent or empty.", show_default="NAME-gallery"),
]
_Json = Annotated[bool, typer.Option("--json", help="Print the numbers as JSON and nothing else.")]


@with_options(
    network=group(ModelOptions),
    chosen=group(GalleryOptions),
    planes=group(PlaneOptions),
    options=group(Options, leave_out=("level", "seed", "pose", "intensity")),
    files=group(FileOptions, "spacing", "overwrite"),
)
def gallery(
    images: Images,
    network: dict[str, Any],
    chosen: dict[str, Any],
    planes: dict[str, Any],
    options: dict[str, Any],
    files: dict[str, Any],
    labels: Labels = None,
    out: _Out = None,
    json: _Json = False,
) -> None:
    """Many seeds at several levels on one sheet: gallery.png, gallery.html and gallery.csv.

    Example: drdm gallery patient.nii.gz --labels seg.nii.gz --seeds 25 --levels 30,48,70
    """
    from src_core.inspection.gallery_page import save_gallery
    from src_core.io import OutputFolder, read_case

    places, wanted = FileOptions(**files), GalleryOptions(**chosen)
    case = read_case(images, labels=labels or None, spacing=places.spacing)
    folder = out or Path(f"{case.name}-gallery")
    with OutputFolder(folder, places.overwrite) as place:
        made = _made(case, ModelOptions(**network), options, wanted, PlaneOptions(**planes))
        save_gallery(made, place, wanted.columns)
    if json:
        facts = [{"level": e.level, "seed": e.seed, **e.metrics} for e in made.entries]
        print_json({"model": made.model, "entries": facts})
    else:
        print(f"written to {folder}")


def _made(
    case: Case,
    network: ModelOptions,
    options: dict[str, Any],
    chosen: GalleryOptions,
    planes: PlaneOptions,
) -> Gallery:
    from src_core.generation import make_options
    from src_core.generation.scale import scale_warning
    from src_core.inspection.film_steps import strip_of
    from src_core.inspection.gallery import Gallery, gallery_steps
    from src_core.models.library import load_model

    model = load_model(network.model, network.device)
    common = make_options(model.spec.schedule.levels, **options, level=0)
    if warning := scale_warning(case, model.spec):
        tell(f"warning: {warning}")
    strip = strip_of(case, planes, chosen.side)
    with progress("gallery") as advance:
        for value in gallery_steps(case, model, common, chosen, strip):
            if isinstance(value, Gallery):
                return value
            advance(value.done, value.total, value.words)
    raise RuntimeError("a gallery ended without its pictures")
