"""A result read back from the folder that it was saved in, to be looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from src_core.cases.case import Case
from src_core.cases.grid import Grid
from src_core.errors import InputError
from src_core.fields.measures import field_metrics
from src_core.fields.planes import Field, in_plane_axis
from src_core.fields.warp_frames import frame_of
from src_core.generation.save import input_file
from src_core.io import read_case, read_field_series, volume_file
from src_core.io.case_files import input_volumes
from src_core.io.hashing import sha256_array
from src_core.io.json_text import parse_json
from src_core.recipes.replay import read_source

__all__ = ["StoredResult", "read_images", "read_result", "recipe_file"]


@dataclass(frozen=True, eq=False)
class StoredResult:
    """What is looked at of a saved result; of a series in time, the frame that moves most.

    Attributes:
        source: the case it was made from.
        case: images and labels, on the same grid.
        displacement: (X, Y, Z, 3), LPS mm.
        jacobian: (X, Y, Z), its determinant by central differences.
        metrics: the numbers of ``metrics.json``.
        recipe: what makes it again.
        changed: names of arrays that are not those of the recipe any more.
    """

    source: Case
    case: Case
    displacement: Field
    jacobian: NDArray[np.float32]
    metrics: dict[str, Any]
    recipe: dict[str, Any]
    changed: tuple[str, ...] = ()


def recipe_file(result: Path | str) -> Path:
    """The recipe of a result, which is given by its folder or by that file itself."""
    path = Path(result)
    return path / "recipe.json" if path.is_dir() else path


def read_images(
    result: Path | str,
    *,
    images: Sequence[Path] | None = None,
    labels: Sequence[Path] | None = None,
) -> tuple[Case, Case, dict[str, Any]]:
    """Source and new case of a saved result, and its recipe.

    Args:
        result: its folder, or the recipe in it.
        images: other places of the source's images.
        labels: other places of the source's labels.

    Raises:
        InputError: a file is missing, or an input is not the one that the recipe names.
    """
    path = recipe_file(result)
    source, recipe = read_source(path, images=images, labels=labels)
    names = list(recipe["inputs"]["arrays"])
    new = [path.parent / volume_file(name) for name in names if name.startswith("image")]
    maps = [path.parent / volume_file(name) for name in names if name.startswith("labels")]
    _check_files(new)
    there = maps if all(file.is_file() for file in maps) else []
    if source.images[0].path == path.parent / input_file("image"):
        source = replace(source, name=path.parent.resolve().name)  # its layer had no file
    return source, read_case(new, there or None), recipe


def read_result(
    result: Path | str,
    *,
    images: Sequence[Path] | None = None,
    labels: Sequence[Path] | None = None,
) -> StoredResult:
    """A saved result with its field and numbers; arguments and errors are ``read_images``'."""
    source, case, recipe = read_images(result, images=images, labels=labels)
    place = recipe_file(result).parent
    files = [place / volume_file("displacement"), place / "metrics.json"]
    _check_files(files)
    field, _ = read_field_series(files[0])
    metrics = _read_json(files[1])
    changed = _changed(case, field, recipe)
    peak = int(np.argmax(metrics["frame_max_mm"])) if "frame_max_mm" in metrics else 0
    if "motion" in recipe:
        source, case = frame_of(source, peak), frame_of(case, peak)
    u = field[..., min(peak, field.shape[3] - 1), :]
    return StoredResult(source, case, u, _jacobian(place, u, source.grid), metrics, recipe, changed)


def _jacobian(place: Path, u: Field, grid: Grid) -> NDArray[np.float32]:
    """The saved determinant, which leaves out the sign of a flip; computed where it is missing."""
    file = place / volume_file("jacobian")
    if file.is_file():
        saved: NDArray[np.float32] = read_case(file).image
        return saved
    return field_metrics(u, grid, in_plane_axis(u, grid))[0]


def _check_files(files: Sequence[Path]) -> None:
    for file in files:
        if not file.is_file():
            raise InputError(
                f"{file.name} is missing",
                where=str(file.parent),
                expected="the folder of a result, with recipe.json and metrics.json",
            )


def _read_json(path: Path) -> dict[str, Any]:
    try:
        values = parse_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError("this is no metrics.json", where=str(path)) from error
    if not isinstance(values, dict) or "max_mm" not in values:
        raise InputError("this is no metrics.json of a result", where=str(path))
    return values


def _changed(case: Case, field: NDArray[np.float32], recipe: dict[str, Any]) -> tuple[str, ...]:
    """Names of the arrays whose bits are not those that the recipe recorded."""
    found = {name: sha256_array(volume.data) for name, volume in input_volumes(case).items()}
    found["displacement"] = sha256_array(field if "motion" in recipe else field[..., 0, :])
    recorded = recipe["outputs"]
    return tuple(n for n, digest in found.items() if recorded.get(n, digest) != digest)
