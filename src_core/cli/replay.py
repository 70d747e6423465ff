"""``drdm replay``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from src_core.cli.options import group, with_options
from src_core.cli.parameters import CopyOut, Json, Labels, Points, Surfaces
from src_core.cli.report import print_json, show_metrics, tell
from src_core.cli.running import run_one, run_pair, run_series
from src_core.io.options import FileOptions
from src_core.recipes.options import ReplayOptions

if TYPE_CHECKING:
    from src_core.generation import Result, Series
    from src_core.generation.pairs import Pair
    from src_core.recipes.replay import ReplayPlan

__all__ = ["replay"]


@with_options(chosen=group(ReplayOptions), files=group(FileOptions, "overwrite"))
def replay(
    recipe: Annotated[
        Path, typer.Argument(help="A recipe.json, or the manifest.jsonl of a run over a data set.")
    ],
    chosen: dict[str, Any],
    files: dict[str, Any],
    image: Annotated[
        list[Path] | None, typer.Option(help="The image, if it has moved; may be repeated.")
    ] = None,
    labels: Labels = None,
    points: Points = None,
    surface: Surfaces = None,
    out: CopyOut = None,
    json: Json = False,
) -> None:
    """Make a result, series or pair again and compare the bits (exit code 1 if they differ).

    Example: drdm replay new/recipe.json --out again
    """
    from src_core.drawing.planes import length_unit
    from src_core.generation.recipe import differences
    from src_core.recipes.replay import prepare

    moved = [*(points or ()), *(surface or ())] or None
    plan = prepare(recipe, images=image, labels=labels, points=moved, **chosen)
    for line in plan.notes:
        tell(f"note: {line}")
    result = _again(plan, out, files["overwrite"])
    differing = differences(plan.recipe, result.recipe)
    if json:
        print_json({**result.metrics, "same_bits": not differing, "differing": differing})
    else:
        show_metrics(result.metrics, length_unit(result.source))
        print(f"differing: {', '.join(differing)}" if differing else "same bits in every array")
    raise typer.Exit(1 if differing else 0)


def _again(plan: ReplayPlan, out: Path | None, overwrite: bool) -> Result | Series | Pair:
    """The result of a recipe: a pair has a second deformation, a series a motion."""
    from src_core.generation import save_result, save_series
    from src_core.generation.pairs import save_pair
    from src_core.generation.points import with_points

    recipe = plan.recipe
    if "fixed" in recipe:
        pair = run_pair(plan.case, plan.model, recipe, plan.points)
        if out is not None:
            save_pair(pair, out, overwrite=overwrite)
        return pair
    if "motion" in recipe:
        motion, frames = recipe["motion"], recipe["frames"]
        series = run_series(plan.case, plan.model, plan.options, motion, frames)
        series = with_points(series, plan.points)
        if out is not None:
            save_series(series, out, overwrite=overwrite)
        return series
    result = with_points(run_one(plan.case, plan.model, plan.options, recipe), plan.points)
    if out is not None:
        save_result(result, out, overwrite=overwrite)
    return result
