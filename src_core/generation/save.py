"""The files of a generated case."""

from __future__ import annotations

import copy
from collections.abc import Collection
from pathlib import Path
from typing import Any

from src_core.cases.case import Case
from src_core.cases.synthetic import synthetic_note
from src_core.errors import ArgumentError
from src_core.generation.run import Result
from src_core.io import (
    FieldFormat,
    OutputFolder,
    field_file,
    volume_file,
    write_field,
    write_image,
    write_scalar,
)
from src_core.io.case_files import PARTS, input_volumes, save_case, write_json
from src_core.io.points import write_points

__all__ = [
    "input_file",
    "save_files",
    "save_result",
    "with_inputs",
]


def save_result(
    result: Result,
    folder: Path | str,
    *,
    overwrite: bool = False,
    field_format: FieldFormat = "itk",
    what: Collection[str] = PARTS,
) -> Path:
    """Write image, labels, displacement, inverse and jacobian, or ``what`` of them, all or none.

    Recipe and metrics are written always. A source that came from no file is written too, as
    ``input.nii.gz`` and ``input-labels.nii.gz``, and the recipe names those files.

    Raises:
        InputError: the folder has content (without ``overwrite``) or cannot be written.
        ArgumentError: a part of ``what`` does not exist.
    """
    if unknown := set(what) - set(PARTS):
        raise ArgumentError(
            f"save_result() 'what' must be of {', '.join(PARTS)}, got {', '.join(sorted(unknown))}"
        )
    with OutputFolder(folder, overwrite) as place:
        save_files(result, place, field_format, what)
    return Path(folder)


def save_files(
    result: Result,
    place: Path,
    field_format: FieldFormat = "itk",
    what: Collection[str] = PARTS,
) -> None:
    """The files of ``save_result``, into a folder that the caller makes appear."""
    grid = result.case.grid
    save_case(result.case, place, result.source, what)
    for name, field in (("displacement", result.displacement), ("inverse", result.inverse)):
        if name in what:
            write_field(
                place / field_file(name, field_format), field, grid, field_format, synthetic_note()
            )
    if "jacobian" in what:
        write_scalar(place / volume_file("jacobian"), result.jacobian, grid, synthetic_note())
    for name, points in result.points.items():
        write_points(place / name, points)
    write_json(place / "recipe.json", with_inputs(result.source, result.recipe, place))
    write_json(place / "metrics.json", result.metrics)


def input_file(name: str) -> str:
    """The file for an input (``image``, ``labels-2``) that came from none: ``input.nii.gz``."""
    return volume_file("input" + name.removeprefix("image").replace("labels", "-labels"))


def with_inputs(source: Case, recipe: dict[str, Any], place: Path) -> dict[str, Any]:
    """The recipe, its inputs that have no file written beside it."""
    recipe = copy.deepcopy(recipe)
    for name, volume in input_volumes(source).items():
        if volume.path is None:
            file = input_file(name)
            write_image(place / file, volume.data, volume, source.grid)
            recipe["inputs"]["arrays"][name]["path"] = file
    return recipe
