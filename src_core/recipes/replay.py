"""Reading a recipe back: its inputs, model and options, each checked against what it says."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from src_core.cases.case import Case
from src_core.cases.point_set import Axes, PointSet
from src_core.errors import InputError, OptionName, Phrase
from src_core.generation.options import Options
from src_core.generation.recipe import machine
from src_core.io import read_case
from src_core.io.case_files import input_volumes
from src_core.io.formats import is_picture
from src_core.io.hashing import sha256_array, sha256_file
from src_core.io.json_text import parse_json
from src_core.io.points import read_points
from src_core.models.checkpoint import load_file
from src_core.models.device import choose_device
from src_core.models.library import find_model
from src_core.models.model import Model

__all__ = ["ReplayPlan", "prepare", "read_source"]


class _Array(BaseModel):
    path: str | None
    sha256: str


class _Inputs(BaseModel):
    affine: list[list[float]]
    arrays: dict[str, _Array]


class _ModelFile(BaseModel):
    name: str
    sha256: str
    file: str


class _PointFile(BaseModel):
    path: str | None
    axes: Axes
    sha256: str


class _Recipe(BaseModel):
    model_config = ConfigDict(protected_namespaces=())

    inputs: _Inputs
    model: _ModelFile
    options: Options
    device: str
    machine: dict[str, str]
    outputs: dict[str, str]
    points: dict[str, _PointFile] = {}
    drawn_files: dict[str, str] = {}


@dataclass(frozen=True, eq=False)
class ReplayPlan:
    """A generation to run again; ``notes`` say what differs from where the recipe was made."""

    case: Case
    model: Model
    options: Options
    recipe: dict[str, Any]
    notes: tuple[str, ...]
    points: tuple[PointSet, ...] = ()


def prepare(
    path: Path | str,
    *,
    images: Sequence[Path] | None = None,
    labels: Sequence[Path] | None = None,
    points: Sequence[Path] | None = None,
    device: str | None = None,
    sample: str | None = None,
) -> ReplayPlan:
    """Everything a recipe names, found and checked.

    Args:
        path: a ``recipe.json``, or the ``manifest.jsonl`` of an augmentation.
        images: other places of the recipe's images.
        labels: other places of its labels.
        points: other places of its landmarks and surfaces, in its order.
        device: another than the recipe's.
        sample: the name of a case or pair in a manifest.

    Raises:
        InputError: no recipe; an input or the model is missing, or not the one it names.
    """
    path = Path(path)
    raw, recipe = _read(path, sample)
    case = _source(path, recipe, images, labels)
    notes = [
        f"{name} was {then}, is {machine()[name]}"
        for name, then in recipe.machine.items()
        if machine().get(name, then) != then
    ]
    model = _model(recipe.model, device or recipe.device)
    moving = _all_points(recipe.points, points, path)
    return ReplayPlan(case, model, recipe.options, raw, tuple(notes), moving)


def read_source(
    path: Path | str,
    *,
    images: Sequence[Path] | None = None,
    labels: Sequence[Path] | None = None,
) -> tuple[Case, dict[str, Any]]:
    """The case that a recipe was made from, checked, and the recipe; no model is needed.

    Raises:
        InputError: no recipe; an input is missing, or not the one it names.
    """
    path = Path(path)
    raw, recipe = _read(path, None)
    return _source(path, recipe, images, labels), raw


def _source(
    path: Path, recipe: _Recipe, images: Sequence[Path] | None, labels: Sequence[Path] | None
) -> Case:
    named = recipe.inputs.arrays
    found = {
        kind: list(given) if given else _paths(named, kind, path)
        for kind, given in (("image", images), ("labels", labels))
    }
    case = read_case(found["image"], found["labels"] or None, _spacing(found["image"], recipe))
    _check_inputs(case, named, path)
    _check_drawn(recipe.drawn_files)
    return case


def _read(path: Path, sample: str | None) -> tuple[dict[str, Any], _Recipe]:
    try:
        text = path.read_text(encoding="utf-8")
        raw = parse_json(text) if path.suffix != ".jsonl" else _of_manifest(path, text, sample)
        return raw, _Recipe.model_validate(raw)
    except OSError as error:
        raise InputError("no such recipe", where=str(path), expected="a recipe.json") from error
    except (UnicodeDecodeError, json.JSONDecodeError, ValidationError) as error:
        raise InputError("this is no recipe", where=str(path), expected="a recipe.json") from error


def _of_manifest(path: Path, text: str, sample: str | None) -> dict[str, Any]:
    """The recipe of a sample; the newest, where a run was stopped."""
    lines = [parse_json(line) for line in text.splitlines() if line.endswith("}")]
    recipes = {line.get("name"): line["recipe"] for line in lines if "recipe" in line}
    if sample in recipes:
        return recipes[sample]
    first = next(iter(recipes), "")
    raise InputError(
        f"no sample called {sample}" if sample else "this is a manifest of many samples",
        where=str(path),
        expected=Phrase(f"one of its {len(recipes)} names, such as ", OptionName("sample", first)),
    )


def _spacing(images: Sequence[Path], recipe: _Recipe) -> list[float] | None:
    """Pictures have no spacing of their own: the recipe's affine says which they were read with."""
    if not is_picture(images[0]):
        return None
    return np.linalg.norm(np.array(recipe.inputs.affine)[:3, :3], axis=0).tolist()


def _paths(named: dict[str, _Array], kind: str, recipe: Path) -> list[Path]:
    """Files of a kind, in the order of their numbers; relative ones lie beside the recipe."""
    chosen = [(name, array) for name, array in named.items() if name.split("-")[0] == kind]
    for name, array in chosen:
        if array.path is None:
            raise InputError(
                f"the recipe names no file for {name}",
                where=str(recipe),
                do=Phrase("give it with ", OptionName(kind)),
            )
    # channels of a picture in colour are named one by one, and read together
    return list(dict.fromkeys(recipe.parent / str(array.path) for _, array in chosen))


def _check_inputs(case: Case, named: dict[str, _Array], recipe: Path) -> None:
    volumes = input_volumes(case)
    for name, array in named.items():
        volume = volumes.get(name)
        if volume is None or sha256_array(volume.data) != array.sha256:
            raise InputError(
                f"{name} is not what the recipe was made from",
                where=str(volume.path) if volume else str(recipe),
                expected=f"an array of SHA-256 {array.sha256[:16]}...",
                do=Phrase("give the original with ", OptionName(name.split("-")[0])),
            )


def _check_drawn(files: dict[str, str]) -> None:
    for name, wanted in files.items():
        found = sha256_file(name) if Path(name).is_file() else None
        if found != wanted:
            raise InputError(
                "the labels drawn by hand are not what the recipe was made from",
                where=name,
                expected=f"a file of SHA-256 {wanted[:16]}...",
                do="put the original back, or run this in the folder where it was made",
            )


def _all_points(
    named: dict[str, _PointFile], given: Sequence[Path] | None, recipe: Path
) -> tuple[PointSet, ...]:
    """Landmarks and surfaces that a recipe names."""
    paths = list(given or [recipe.parent / (one.path or "") for one in named.values()])
    if len(paths) != len(named):
        raise InputError(
            f"{len(paths)} files of points", where=str(recipe), expected=f"{len(named)} in order"
        )
    return tuple(map(_read_points, named, named.values(), paths))


def _read_points(name: str, wanted: _PointFile, path: Path) -> PointSet:
    found = read_points(path, wanted.axes)
    if sha256_array(found.positions) != wanted.sha256:
        raise InputError(
            f"{name} is not what the recipe was made from",
            where=str(path),
            expected=f"positions of SHA-256 {wanted.sha256[:16]}...",
            do=Phrase("give the original with ", OptionName(name.split(".")[0].split("-")[0])),
        )
    return found


def _model(wanted: _ModelFile, device: str) -> Model:
    """The recipe's file where it still is the same, else the model of its name."""
    for candidate in (wanted.file, wanted.name):
        try:
            model = load_file(find_model(candidate), choose_device(device))
        except InputError:
            continue
        if model.sha256 == wanted.sha256:
            return model
    choose_device(device)
    raise InputError(
        f"the model {wanted.name} of the recipe was not found",
        where=wanted.file,
        expected=f"a file of SHA-256 {wanted.sha256[:16]}...",
        do="put it back, or import it",
    )
