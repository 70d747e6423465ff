"""``drdm demo`` and ``generate``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from src_core.cli.parameters import (
    AllowFolds,
    Device,
    Format,
    Images,
    Interpolation,
    Json,
    LabelInterpolation,
    Labels,
    Level,
    MaxMm,
    ModelName,
    Out,
    Overwrite,
    Region,
    Seed,
    Slices,
    Spacing,
    Steps,
    parse_region,
)
from src_core.cli.report import print_json, show_metrics, tell
from src_core.cli.running import run_one, run_series

if TYPE_CHECKING:
    from src_core.cases.case import Case
    from src_core.io import FieldFormat
    from src_core.models.model import Model

__all__ = ["demo", "generate"]


def demo(
    out: Out = None,
    level: Level = None,
    seed: Seed = 1,
    overwrite: Overwrite = False,
    json: Json = False,
) -> None:
    """The main job on the sample that ships: a cardiac phantom, deformed, with a picture.

    Example: drdm demo --out drdm-demo
    """
    from src_core.phantom import phantom_case

    _generate(
        phantom_case(phase=0),
        "cardiac-sax",
        {"level": 48 if level is None else level, "seed": seed},
        out or Path("drdm-demo"),
        overwrite,
        json,
        picture=True,
    )


def generate(
    images: Images,
    labels: Labels = None,
    model: ModelName = "cardiac-sax",
    level: Level = None,
    max_mm: MaxMm = None,
    seed: Seed = 1,
    steps: Steps = None,
    slices: Slices = "shared",
    interpolation: Interpolation = "linear",
    label_interpolation: LabelInterpolation = "linear",
    allow_folds: AllowFolds = False,
    region: Region = None,
    motion: Annotated[
        Literal["still", "ramp", "loop"],
        typer.Option(help="Along time: one field, or growing from none, to the end or and back."),
    ] = "still",
    frames: Annotated[
        int | None, typer.Option(help="Frames to make of a single volume, with --motion.")
    ] = None,
    spacing: Spacing = None,
    device: Device = "auto",
    out: Out = None,
    overwrite: Overwrite = False,
    field_format: Format = "itk",
    json: Json = False,
) -> None:
    """One new case: image, labels, displacement, inverse, Jacobian, recipe and metrics.

    Example: drdm generate patient.nii.gz --labels seg.nii.gz --level 48 --seed 1 --out new
    """
    from src_core.errors import InputError
    from src_core.io import read_case

    if level is not None and max_mm is not None:
        raise InputError("--level and --max-mm exclude each other", do="leave one of them out")
    options = {
        "level": 48 if level is None else level,
        "seed": seed,
        "steps": steps,
        "slices": slices,
        "interpolation": interpolation,
        "label_interpolation": label_interpolation,
        "allow_folds": allow_folds,
        "region": parse_region(region),
    }
    if frames is not None and motion == "still":
        raise InputError("--frames is for a motion", do="add --motion loop, or leave it out")
    case = read_case(images, labels=labels or None, spacing=spacing)
    folder = out or Path(f"{case.name}-drdm")
    _generate(
        case,
        model,
        options,
        folder,
        overwrite,
        json,
        device=device,
        max_mm=max_mm,
        field_format=field_format,
        motion=motion,
        frames=frames,
    )


def _generate(
    case: Case,
    model_name: str,
    options: dict[str, Any],
    out: Path,
    overwrite: bool,
    json: bool,
    *,
    device: str = "auto",
    max_mm: float | None = None,
    field_format: FieldFormat = "itk",
    picture: bool = False,
    motion: Literal["still", "ramp", "loop"] = "still",
    frames: int | None = None,
) -> None:
    """Check everything, then compute; a failure leaves nothing behind."""
    from src_core.generation import make_options
    from src_core.generation.save import save_files
    from src_core.generation.search import level_for
    from src_core.generation.series import save_series_files
    from src_core.io import OutputFolder
    from src_core.models.library import load_model

    model = load_model(model_name, device)
    chosen = make_options(model.spec.schedule.levels, **options)
    _warn_of_scale(case, model)
    with OutputFolder(out, overwrite) as place:
        if max_mm is not None:
            level = level_for(case, model, max_mm, chosen)
            chosen = chosen.model_copy(update={"level": level})
            tell(f"--max-mm {max_mm:g}: level {level}" + ("" if level else ", the image itself"))
        if motion == "still":
            result = run_one(case, model, chosen)
            save_files(result, place, field_format)
            if picture:
                from src_core.inspection.preview import save_preview

                save_preview(result, place / "preview.png")
            metrics = result.metrics
        else:
            series = run_series(case, model, chosen, motion, frames)
            save_series_files(series, place)
            metrics = series.metrics
    _told(metrics, out, json)


def _told(metrics: dict[str, Any], out: Path, json: bool) -> None:
    if json:
        print_json(metrics)
        return
    show_metrics(metrics)
    print(f"written to {out}")


def _warn_of_scale(case: Case, model: Model) -> None:
    from src_core.generation.model_view import scale_warning

    told = scale_warning(case, model.spec)
    if told:
        tell(f"warning: {told}")
