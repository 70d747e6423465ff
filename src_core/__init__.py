"""Deformation-recovery diffusion models: the engine, which needs no viewer.

    import src_core as drdm
    case = drdm.read_case("patient.nii.gz", labels="seg.nii.gz")
    result = drdm.generate(case, drdm.load_model("cardiac-sax"), level=48, seed=1)

Names are imported when they are used: the package itself loads neither torch nor napari.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from src_core.cases.case import Case
    from src_core.cases.grid import Grid
    from src_core.cases.point_set import PointSet
    from src_core.errors import ArgumentError, Cancelled, DRDMError, InputError
    from src_core.fields.points import MovedPoints, move_points
    from src_core.fields.warp_case import warp_case
    from src_core.generation import (
        Options,
        Result,
        Series,
        Step,
        generate,
        generate_series,
        iterate,
        recover,
        save_result,
        save_series,
    )
    from src_core.generation.intensities import Intensities
    from src_core.generation.pairs import Pair, make_pair, save_pair
    from src_core.generation.points import with_points
    from src_core.generation.pose import Pose
    from src_core.io import read_case, read_field, read_points
    from src_core.models.library import import_model, list_models, load_model
    from src_core.models.model import Model, ModelSpec
    from src_core.phantom import cardiac_phantom, phantom_case

_MODULES = {
    "ArgumentError": "errors",
    "Cancelled": "errors",
    "Case": "cases.case",
    "DRDMError": "errors",
    "Grid": "cases.grid",
    "InputError": "errors",
    "Intensities": "generation.intensities",
    "Model": "models.model",
    "ModelSpec": "models.model",
    "MovedPoints": "fields.points",
    "Pair": "generation.pairs",
    "Options": "generation",
    "PointSet": "cases.point_set",
    "Pose": "generation.pose",
    "Result": "generation",
    "Series": "generation",
    "Step": "generation",
    "cardiac_phantom": "phantom",
    "generate": "generation",
    "generate_series": "generation",
    "import_model": "models.library",
    "iterate": "generation",
    "list_models": "models.library",
    "load_model": "models.library",
    "make_pair": "generation.pairs",
    "move_points": "fields.points",
    "phantom_case": "phantom",
    "read_case": "io",
    "read_field": "io",
    "read_points": "io",
    "recover": "generation",
    "save_pair": "generation.pairs",
    "save_result": "generation",
    "save_series": "generation",
    "warp_case": "fields.warp_case",
    "with_points": "generation.points",
}

__all__ = [
    "ArgumentError",
    "Cancelled",
    "Case",
    "DRDMError",
    "Grid",
    "InputError",
    "Intensities",
    "Model",
    "ModelSpec",
    "MovedPoints",
    "Options",
    "Pair",
    "PointSet",
    "Pose",
    "Result",
    "Series",
    "Step",
    "cardiac_phantom",
    "generate",
    "generate_series",
    "import_model",
    "iterate",
    "list_models",
    "load_model",
    "make_pair",
    "move_points",
    "phantom_case",
    "read_case",
    "read_field",
    "read_points",
    "recover",
    "save_pair",
    "save_result",
    "save_series",
    "warp_case",
    "with_points",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_MODULES])
