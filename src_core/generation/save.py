"""The files of a generated case."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from src_core.case import Case
from src_core.generation.run import Result
from src_core.io import FieldFormat, OutputFolder, write_field, write_image, write_scalar

__all__ = ["save_case", "save_result"]


def save_result(
    result: Result,
    folder: Path | str,
    *,
    overwrite: bool = False,
    field_format: FieldFormat = "itk",
) -> Path:
    """Write image, labels, displacement, inverse, jacobian, recipe and metrics, all or none.

    Raises:
        InputError: the folder has content (without ``overwrite``) or cannot be written.
    """
    with OutputFolder(folder, overwrite) as place:
        save_files(result, place, field_format)
    return Path(folder)


def save_files(result: Result, place: Path, field_format: FieldFormat = "itk") -> None:
    """The files of ``save_result``, into a folder that the caller makes appear."""
    grid = result.case.grid
    save_case(result.case, place)
    write_field(place / "displacement.nii.gz", result.displacement, grid, field_format)
    write_field(place / "inverse.nii.gz", result.inverse, grid, field_format)
    write_scalar(place / "jacobian.nii.gz", result.jacobian, grid)
    write_json(place / "recipe.json", result.recipe)
    write_json(place / "metrics.json", result.metrics)


def save_case(case: Case, place: Path) -> None:
    """``image.nii.gz`` and ``labels.nii.gz``; further ones are numbered from 2."""
    for kind, volumes in (("image", case.images), ("labels", case.labels)):
        for index, volume in enumerate(volumes):
            name = f"{kind}-{index + 1}" if index else kind
            write_image(place / f"{name}.nii.gz", volume.data, volume, case.grid)


def write_json(path: Path, values: dict[str, Any]) -> None:
    """Readable JSON, keys in the order they were made."""
    path.write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")
