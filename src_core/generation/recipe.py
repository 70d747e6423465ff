"""``recipe.json``: everything that decides a result, so that it can be made and checked again."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from src_core.cases.case import Case
from src_core.io.case_files import input_volumes
from src_core.io.hashing import sha256_array, sha256_file
from src_core.steering.kinds import DrawnShapeTarget

if TYPE_CHECKING:
    from src_core.generation.options import Options
    from src_core.models.model import Model

__all__ = ["differences", "digests", "machine", "make_recipe"]

_PACKAGES = ("napari-drdm", "torch", "numpy", "scipy", "numba", "nibabel")


def make_recipe(
    case: Case,
    warped: Case,
    model: Model,
    options: Options,
    steps: int,
    outputs: dict[str, NDArray[Any]],
    drawn: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The recipe of a generated case; ``outputs`` are its fields by name.

    ``drawn`` are numbers that the seed gave besides the field, for the reader.
    """
    from src_core.models.device import THREADS

    return {
        "recipe": 1,
        "inputs": _inputs(case),
        "model": {"name": model.spec.name, "sha256": model.sha256, "file": model.file},
        "options": _options(case, options, model, steps),
        **_drawn_files(options),
        **(drawn or {}),
        "device": str(model.device),
        "threads": THREADS,
        "batch": 1,
        "machine": machine(),
        "outputs": {**{k: sha256_array(v) for k, v in outputs.items()}, **digests(warped)},
    }


def _options(case: Case, options: Options, model: Model, steps: int) -> dict[str, Any]:
    """All options; the condition where the model takes one, steps where there are any."""
    from src_core.generation.model_view import guide_of
    from src_core.models.prediction import checked_condition

    values = {**options.model_dump(), "steps": steps or None}
    if case.images[0].channel is not None:  # a copy of the channels as single images is the same
        values["guide"] = guide_of(case, options.guide)
    condition = checked_condition(model.spec.network, options.condition)
    return values if condition is None else {**values, "condition": condition}


def _drawn_files(options: Options) -> dict[str, Any]:
    """SHA-256 of the files of labels drawn by hand, by the names that targets have for them."""
    drawn = [t for t in options.targets if isinstance(t, DrawnShapeTarget)]
    files = {target.file: sha256_file(target.file) for target in drawn}
    return {"drawn_files": files} if files else {}


def digests(case: Case) -> dict[str, str]:
    """SHA-256 of every image and label array of a case, by the names of their files."""
    return {name: sha256_array(v.data) for name, v in input_volumes(case).items()}


def differences(recipe: dict[str, Any], again: dict[str, Any]) -> list[str]:
    """Names of the outputs whose bits differ between two recipes, or that one of them lacks."""
    old, new = recipe["outputs"], again["outputs"]
    return sorted(k for k in old.keys() | new.keys() if old.get(k) != new.get(k))


def _inputs(case: Case) -> dict[str, Any]:
    found = digests(case)
    return {
        "affine": np.asarray(case.grid.affine).tolist(),
        "arrays": {
            name: {
                "path": str(volume.path.resolve()) if volume.path else None,
                "sha256": found[name],
            }
            for name, volume in input_volumes(case).items()
        },
    }


@cache
def _versions() -> dict[str, str]:
    return {name: _version(name) for name in _PACKAGES}


def machine() -> dict[str, str]:
    """What else may change the bits: versions, and the CPU's instruction set."""
    import torch

    from src_core.fields.sampling import compiled_loops

    capability = torch.backends.cpu.get_cpu_capability()
    return {
        **_versions(),
        "python": platform.python_version(),
        "cpu": capability,
        "loops": "compiled" if compiled_loops() else "PyTorch",
        "platform": f"{platform.system()} {platform.machine()}",
    }


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
