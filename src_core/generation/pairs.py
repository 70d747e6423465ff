"""A registration pair (paper, Algorithm 4): ``moving = I o phi_1``, ``fixed = moving o phi_2``.

phi_2 is generated on the moving image, as phi_1 is on the original: its field u_2 and that of its
inverse are the truth, in both directions. Either image is sampled once, from the original, and is
as sharp as the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from src_core.cases.case import Case
from src_core.cases.grid import Grid
from src_core.cases.point_set import PointSet
from src_core.cases.synthetic import SYNTHETIC, mark_synthetic, synthetic_note
from src_core.cases.volume import Volume
from src_core.errors import InputError
from src_core.fields import compose
from src_core.fields.label_changes import label_metrics
from src_core.fields.planes import Field, field_tensor, in_plane_axis, lps_field
from src_core.fields.warp_case import warp_case
from src_core.generation import Options, Result, Session, Step, iterate, make_options
from src_core.generation.drawn_case import refuse_changes
from src_core.generation.points import moved_twice, point_inputs
from src_core.generation.proof import prove
from src_core.generation.recipe import digests
from src_core.generation.save import with_inputs
from src_core.io import FieldFormat, OutputFolder, field_file, volume_file, write_field, write_image
from src_core.io.case_files import input_volumes, write_json
from src_core.io.hashing import sha256_array
from src_core.io.points import named_points, write_points
from src_core.models.device import fixed_threads
from src_core.models.model import Model

__all__ = [
    "FIELDS",
    "Pair",
    "PairProgress",
    "composed",
    "make_pair",
    "options_of",
    "pair_steps",
    "save_pair",
    "volumes_of",
]

FIELDS = ("displacement", "inverse")

_SHARED = ("slices", "interpolation", "label_interpolation", "allow_folds", "region", "condition")


@dataclass(frozen=True)
class PairProgress:
    """Step ``index`` of ``total``, over both generations."""

    index: int
    total: int


@dataclass(frozen=True, eq=False)
class Pair:
    """Two images of one subject, and the field between them.

    Attributes:
        source: the case both were made from.
        moving: images and labels after the first deformation.
        fixed: images and labels after both.
        displacement: (X, Y, Z, 3), float32, LPS mm: fixed(x) = moving(x + displacement(x)).
        inverse: the same the other way: moving(y) = fixed(y + inverse(y)).
        metrics: of the field between, and of the labels from moving to fixed.
        recipe: what makes the same pair again.
        points: landmarks and surfaces of the source in both, by the names of their files.
    """

    source: Case
    moving: Case
    fixed: Case
    displacement: Field
    inverse: Field
    metrics: dict[str, Any]
    recipe: dict[str, Any]
    points: Mapping[str, PointSet] = field(default_factory=dict)


def make_pair(
    case: Case,
    model: Model,
    first: Options,
    second: Options,
    points: Sequence[PointSet] = (),
) -> Pair:
    """The pair of two generations: ``first`` on the case, ``second`` on what it gave.

    ``points`` are landmarks and surfaces of the case, which are moved into both images.

    Raises:
        InputError: an option is out of range, the two differ in more than level and seed, or case
            and model do not fit.
    """
    *_, last = pair_steps(case, model, first, second, points=points)
    assert isinstance(last, Pair)
    return last


def options_of(recipe: Mapping[str, Any], model: Model) -> tuple[Options, Options]:
    """Both deformations of a pair's recipe."""
    levels = model.spec.schedule.levels
    return make_options(levels, **recipe["options"]), make_options(levels, **recipe["fixed"])


def pair_steps(
    case: Case,
    model: Model,
    first: Options,
    second: Options,
    session: Session | None = None,
    points: Sequence[PointSet] = (),
) -> Iterator[PairProgress | Pair]:
    """Progress, then the pair; stop taking values to cancel.

    ``points`` are in the space of the case. ``session`` is of this case and model with the slices
    and region of ``first``, if there is one.
    """
    _check(first, second)
    before = after = None
    for value in iterate(case, model, first, session=session):
        if isinstance(value, Result):
            before = value
        elif isinstance(value, Step):
            yield PairProgress(value.index, 2 * value.total)
    assert before is not None
    for value in iterate(before.case, model, second):
        if isinstance(value, Result):
            after = value
        elif isinstance(value, Step):
            yield PairProgress(value.total + value.index, 2 * value.total)
    assert after is not None
    with fixed_threads():
        yield _joined(before, after, points)


@torch.inference_mode()
def composed(first: Field, second: Field, grid: Grid) -> Field:
    """The field of ``phi_1 o phi_2``: ``u_2(x) + u_1(x + u_2(x))``, LPS mm.

    Args:
        first: (X, Y, Z, 3), u_1, multilinear between the voxels, its border continued outside.
        second: u_2 on the same grid.
    """
    if not first.any():
        return second
    axes = {in_plane_axis(first, grid), in_plane_axis(second, grid)}
    axis = axes.pop() if len(axes) == 1 else None
    u_1, u_2 = (field_tensor(u, grid, axis) for u in (first, second))
    return lps_field(compose(u_1, u_2), grid, axis)


def save_pair(
    pair: Pair, folder: Path | str, *, overwrite: bool = False, field_format: FieldFormat = "itk"
) -> Path:
    """Write a pair's files, all or none.

    Raises:
        InputError: the folder has content (without ``overwrite``) or cannot be written.
    """
    with OutputFolder(folder, overwrite) as place:
        for name, (volume, grid) in volumes_of(pair).items():
            write_image(place / volume_file(name), volume.data, volume, grid)
        for name in FIELDS:
            file = place / field_file(name, field_format)
            field, grid = getattr(pair, name), pair.source.grid
            write_field(file, field, grid, field_format, synthetic_note())
        for name, points in pair.points.items():
            write_points(place / name, points)
        write_json(place / "recipe.json", with_inputs(pair.source, pair.recipe, place))
        write_json(place / "metrics.json", pair.metrics)
    return Path(folder)


def volumes_of(pair: Pair) -> dict[str, tuple[Volume, Grid]]:
    """``moving``, ``fixed``, ``moving-labels``, ``fixed-labels``; further ones as ``moving-2``."""
    return {
        _file(kind, name): (volume, case.grid)
        for kind, case in (("moving", pair.moving), ("fixed", pair.fixed))
        for name, volume in input_volumes(case).items()
    }


def _joined(before: Result, after: Result, points: Sequence[PointSet]) -> Pair:
    source = before.source
    options = before.recipe["options"]
    total = composed(before.displacement, after.displacement, source.grid)
    fixed = warp_case(
        source,
        total,
        interpolation=options["interpolation"],
        labels=options["label_interpolation"],
    )
    fixed = mark_synthetic(fixed)
    metrics = {
        **after.metrics,
        **label_metrics(before.case, fixed, after.jacobian),
        **{f"moving_{k}": before.metrics[k] for k in ("level", "seed", "max_mm", "min_det")},
        "total_max_mm": float(np.linalg.norm(total.astype(np.float64), axis=-1).max()),
        "total_min_det": prove(_planes(total, source.grid)).min_det,
    }
    metrics["notice"] = SYNTHETIC
    metrics["seconds"] = before.metrics["seconds"] + after.metrics["seconds"]
    fields = {"displacement": after.displacement, "inverse": after.inverse}
    recipe = _recipe(before, after, fixed, fields)
    moved = moved_twice(points, before.displacement, after.displacement, source.grid)
    if moved:
        metrics["points"] = {name: one.metrics for name, one in moved.items()}
        recipe["points"] = point_inputs(named_points(points))
        recipe["outputs"] |= {n: sha256_array(one.points.positions) for n, one in moved.items()}
    own = {name: one.points for name, one in moved.items()}
    between = after.displacement, after.inverse
    return Pair(source, before.case, fixed, *between, metrics, recipe, own)


def _recipe(
    before: Result, after: Result, fixed: Case, fields: dict[str, NDArray[np.float32]]
) -> dict[str, Any]:
    """The first generation's recipe, the second's options under ``fixed``, and what came out."""
    outputs = {name: sha256_array(u) for name, u in fields.items()}
    for kind, case in (("moving", before.case), ("fixed", fixed)):
        outputs |= {_file(kind, name): digest for name, digest in digests(case).items()}
    return {**before.recipe, "fixed": after.recipe["options"], "outputs": outputs}


def _planes(u: Field, grid: Grid) -> torch.Tensor:
    return field_tensor(u, grid, in_plane_axis(u, grid))


def _file(kind: str, name: str) -> str:
    """``moving``, ``moving-2``, ``moving-labels``: the file of a volume named image, labels-2."""
    return kind + name.removeprefix("image").replace("labels", "-labels")


def _check(first: Options, second: Options) -> None:
    refuse_changes(first, "pairs")
    refuse_changes(second, "pairs")
    for name in _SHARED:
        one, other = getattr(first, name), getattr(second, name)
        if one != other:
            raise InputError(
                f"the two deformations of a pair differ in {name} ({one} and {other})",
                option=name,
                expected="one value for both; levels and seeds may differ",
            )
