"""``drdm replay``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from src_core.cli.parameters import Json, Labels, Out, Overwrite
from src_core.cli.report import print_json, show_metrics, tell
from src_core.cli.running import run_one, run_pair, run_series

if TYPE_CHECKING:
    from src_core.generation import Result, Series
    from src_core.generation.pairs import Pair
    from src_core.recipes.replay import ReplayPlan

__all__ = ["replay"]


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
    """The same result, series or pair again; says whether the bits agree, exits with 1 if not.

    Example: drdm replay new/recipe.json --out again
    """
    from src_core.generation.recipe import differences
    from src_core.recipes.replay import prepare

    plan = prepare(recipe, images=image, labels=labels, device=device, sample=sample)
    for line in plan.notes:
        tell(f"note: {line}")
    result = _again(plan, out, overwrite)
    differing = differences(plan.recipe, result.recipe)
    if json:
        print_json({**result.metrics, "same_bits": not differing, "differing": differing})
    else:
        show_metrics(result.metrics)
        print(f"differing: {', '.join(differing)}" if differing else "same bits in every array")
    raise typer.Exit(1 if differing else 0)


def _again(plan: ReplayPlan, out: Path | None, overwrite: bool) -> Result | Series | Pair:
    """What a recipe tells of: a pair has a second deformation, a series a motion."""
    from src_core.generation import save_result, save_series
    from src_core.generation.pairs import save_pair

    recipe = plan.recipe
    if "fixed" in recipe:
        pair = run_pair(plan.case, plan.model, recipe)
        if out is not None:
            save_pair(pair, out, overwrite=overwrite)
        return pair
    if "motion" in recipe:
        motion, frames = recipe["motion"], recipe["frames"]
        series = run_series(plan.case, plan.model, plan.options, motion, frames)
        if out is not None:
            save_series(series, out, overwrite=overwrite)
        return series
    result = run_one(plan.case, plan.model, plan.options)
    if out is not None:
        save_result(result, out, overwrite=overwrite)
    return result
