"""``drdm demo``, ``generate`` and ``replay``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from src_core.cli.parameters import (
    Device,
    Format,
    Images,
    Interpolation,
    Json,
    LabelInterpolation,
    Labels,
    Level,
    MaxMm,
    Out,
    Overwrite,
    Region,
    Seed,
    Steps,
    parse_region,
)
from src_core.cli.report import print_json, progress, show_metrics, tell

if TYPE_CHECKING:
    from src_core.case import Case
    from src_core.generation import Options, Result
    from src_core.io import FieldFormat
    from src_core.model import Model
    from src_core.pairs import Pair

__all__ = ["demo", "generate", "replay"]


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
    model: Annotated[str, typer.Option(help="A model's name, or its file.")] = "cardiac-sax",
    level: Level = None,
    max_mm: MaxMm = None,
    seed: Seed = 1,
    steps: Steps = None,
    slices: Annotated[
        Literal["shared", "each"],
        typer.Option(help="2D models on stacks: one deformation shared, or one for each."),
    ] = "shared",
    interpolation: Interpolation = "linear",
    label_interpolation: LabelInterpolation = "linear",
    allow_folds: Annotated[
        bool, typer.Option("--allow-folds", help="Leave out the guard.")
    ] = False,
    region: Region = None,
    spacing: Annotated[float | None, typer.Option(help="mm per pixel of a PNG or TIFF.")] = None,
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
) -> None:
    """Check everything, then compute; a failure leaves nothing behind."""
    from src_core.generation import make_options
    from src_core.generation.save import save_files
    from src_core.generation.search import level_for
    from src_core.io import OutputFolder
    from src_core.library import load_model

    model = load_model(model_name, device)
    chosen = make_options(model.spec.schedule.levels, **options)
    _warn_of_scale(case, model)
    with OutputFolder(out, overwrite) as place:
        if max_mm is not None:
            level = level_for(case, model, max_mm, chosen)
            chosen = chosen.model_copy(update={"level": level})
            tell(f"--max-mm {max_mm:g}: level {level}" + ("" if level else ", the image itself"))
        result = _run(case, model, chosen)
        save_files(result, place, field_format)
        if picture:
            from src_core.preview import save_preview

            save_preview(result, place / "preview.png")
    _told(result, out, json)


def _run(case: Case, model: Model, options: Options) -> Result:
    from src_core.generation import Finishing, Result, iterate

    total = 1
    with progress("generating") as advance:
        for value in iterate(case, model, options):
            if isinstance(value, Result):
                return value
            if isinstance(value, Finishing):
                advance(total, total, value.what)
                continue
            total = value.total
            advance(value.index, total, f"level {value.level}")
    raise RuntimeError("generation ended without a result")


def _told(result: Result, out: Path, json: bool) -> None:
    if json:
        print_json(result.metrics)
        return
    show_metrics(result.metrics)
    print(f"written to {out}")


def _warn_of_scale(case: Case, model: Model) -> None:
    from src_core.generation.frame import scale_warning

    told = scale_warning(case, model.spec)
    if told:
        tell(f"warning: {told}")


def replay(
    recipe: Annotated[
        Path, typer.Argument(help="A recipe.json, or an augmentation's manifest.jsonl.")
    ],
    sample: Annotated[str | None, typer.Option(help="Whose recipe in a manifest.")] = None,
    image: Annotated[
        list[Path] | None, typer.Option(help="The image, where it has moved; may be repeated.")
    ] = None,
    labels: Labels = None,
    device: Annotated[str | None, typer.Option(help="Another device than the recipe's.")] = None,
    out: Out = None,
    overwrite: Overwrite = False,
    json: Json = False,
) -> None:
    """The same result or pair again; says whether the bits agree, and exits with 1 if they do not.

    Example: drdm replay new/recipe.json --out again
    """
    from src_core.generation import save_result
    from src_core.pairs import again, save_pair
    from src_core.recipe import differences
    from src_core.replay import prepare

    plan = prepare(recipe, images=image, labels=labels, device=device, sample=sample)
    for line in plan.notes:
        tell(f"note: {line}")
    result: Pair | Result
    if "fixed" in plan.recipe:
        result = again(plan.case, plan.model, plan.recipe)
        if out is not None:
            save_pair(result, out, overwrite=overwrite)
    else:
        result = _run(plan.case, plan.model, plan.options)
        if out is not None:
            save_result(result, out, overwrite=overwrite)
    differing = differences(plan.recipe, result.recipe)
    if json:
        print_json({**result.metrics, "same_bits": not differing, "differing": differing})
    else:
        show_metrics(result.metrics)
        print(f"differing: {', '.join(differing)}" if differing else "same bits in every array")
    raise typer.Exit(1 if differing else 0)
