"""Recipes: digests of inputs and outputs, model, options, machine."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from src_core.cases.case import Case
from src_core.generation import Options, Result, generate
from src_core.generation.recipe import differences, digests
from src_core.models.library import (
    load_model,
)
from tests.support.small_model import arrays

FILES = {"image", "labels", "displacement", "inverse", "jacobian"}


def own_digest(array: NDArray[np.generic]) -> str:
    little = np.ascontiguousarray(array)
    head = f"{little.dtype.newbyteorder('<').str}{little.shape}".encode()
    return hashlib.sha256(head + little.tobytes()).hexdigest()


def test_a_recipe_knows_inputs_model_options_and_outputs(
    result: Result, case: Case, file: Path
) -> None:
    recipe = json.loads(json.dumps(result.recipe))
    image, labels = arrays()
    found = {name: entry["sha256"] for name, entry in recipe["inputs"]["arrays"].items()}
    assert found == {"image": own_digest(image), "labels": own_digest(labels)}
    np.testing.assert_array_equal(recipe["inputs"]["affine"], case.grid.affine)
    assert recipe["model"]["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert Options(**recipe["options"]) == Options(level=30, seed=2, steps=2)
    made = {
        "image": result.case.image,
        "labels": result.case.label_map,
        "displacement": result.displacement,
        "inverse": result.inverse,
        "jacobian": result.jacobian,
    }
    assert recipe["outputs"] == {name: own_digest(array) for name, array in made.items()}
    assert set(made) == FILES
    assert recipe["machine"]["torch"] and recipe["threads"] == 1 and recipe["batch"] == 1


def test_a_recipe_fixes_the_default_number_of_steps(case: Case, file: Path) -> None:
    model = load_model(file, "cpu")
    assert generate(case, model, level=30).recipe["options"]["steps"] == model.spec.recovery.steps
    assert generate(case, model, level=3).recipe["options"]["steps"] == 3


def test_one_voxel_changes_the_digest(case: Case) -> None:
    image, labels = arrays()
    before = digests(case)
    image[3, 4, 1] += 1
    other = digests(Case.from_arrays(image, labels))
    assert other["image"] != before["image"] and other["labels"] == before["labels"]
    wider = digests(Case.from_arrays(arrays()[0].astype(np.int32), labels))
    assert wider["image"] != before["image"], "the type belongs to the digest"
    fortran = digests(Case.from_arrays(np.asfortranarray(arrays()[0]), labels))
    assert fortran == before, "the memory layout does not"


def test_differences_between_recipes_are_named(result: Result) -> None:
    recipe = result.recipe
    assert differences(recipe, recipe) == []
    outputs = {**recipe["outputs"], "inverse": "0"}
    del outputs["labels"]
    assert differences(recipe, {**recipe, "outputs": outputs}) == ["inverse", "labels"]
