"""Whether the files of a result's inputs, its own or those of an export, still hold them."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from src_core.cases.case import Case
from src_core.errors import DRDMError
from src_core.generation.run import Result
from src_core.generation.save import input_file
from src_core.io import read_case
from src_core.io.case_files import input_volumes
from src_core.io.formats import is_picture
from src_core.io.json_text import parse_json

__all__ = ["picture_spacing", "with_present_inputs", "wrote"]


def with_present_inputs(result: Result) -> Result:
    """The result; an input whose file has changed since counts as one without a file.

    Its export writes such inputs, and its texts name the files of the export. Reads all files:
    not for a window's main thread.
    """
    held = _held(result.source)
    volumes = input_volumes(result.source)
    lost = {name for name, v in volumes.items() if v.path is not None and name not in held}
    if not lost:
        return result
    gone = {id(volumes[name]) for name in lost}
    images = tuple(replace(v, path=None) if id(v) in gone else v for v in result.source.images)
    labels = tuple(replace(v, path=None) if id(v) in gone else v for v in result.source.labels)
    recipe = copy.deepcopy(result.recipe)
    for name in lost:
        recipe["inputs"]["arrays"][name]["path"] = None
    source = replace(result.source, images=images, labels=labels)
    return replace(result, source=source, recipe=recipe)


def wrote(folder: Path, unsaved: Mapping[str, str]) -> bool:
    """Whether the export in a folder holds these inputs, by name and SHA-256."""
    try:
        recipe = parse_json((folder / "recipe.json").read_text("utf-8"))
        arrays = {name: recipe["inputs"]["arrays"][name] for name in unsaved}
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return all(
        array == {"path": input_file(name), "sha256": unsaved[name]}
        and (folder / input_file(name)).is_file()
        for name, array in arrays.items()
    )


def picture_spacing(case: Case) -> float | tuple[float, ...] | None:
    """What a case of pictures was read with, mm: one number where X, Y and Z agree; else None."""
    path, spacing = case.images[0].path, case.grid.spacing
    if path is None or not is_picture(path) or set(spacing) == {1.0}:
        return None
    return spacing[0] if len(set(spacing)) == 1 else spacing


def _held(source: Case) -> set[str]:
    """Names of the inputs whose files give the same values and the same grid."""
    paths = {n: v.path for n, v in input_volumes(source).items() if v.path is not None}
    images = list(dict.fromkeys(p for name, p in paths.items() if name.startswith("image")))
    labels = [path for name, path in paths.items() if name.startswith("labels")]
    try:
        now = read_case(images, labels or None, picture_spacing(source))
    except (DRDMError, OSError):
        return set()
    if not np.array_equal(now.grid.affine, source.grid.affine):
        return set()
    read = dict(zip(paths, (*now.images, *now.labels), strict=True))
    volumes = input_volumes(source)
    return {n for n, v in read.items() if np.array_equal(v.data, volumes[n].data)}
