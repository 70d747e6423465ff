"""What a generation draws besides the field, for one case, and what comes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from src_core.cases.case import Case
from src_core.cases.grid import Grid
from src_core.cases.tiles import parts, tile_axis
from src_core.errors import InputError
from src_core.fields.measures import measure_field
from src_core.fields.planes import Field, along_axis
from src_core.fields.posed import PoseMatrix, posed, unposed
from src_core.fields.saved import SavedField
from src_core.generation.drawn import (
    DrawnIntensities,
    DrawnPose,
    draw_intensities,
    draw_pose,
)
from src_core.generation.options import Options

__all__ = [
    "DrawnChanges",
    "draw_changes",
    "labels_cut",
    "pose_warning",
    "recorded_changes",
    "refuse_changes",
]


@dataclass(frozen=True, eq=False)
class DrawnChanges:
    """A pose and intensities drawn for a case; either may be absent.

    Attributes:
        grid: the case's.
        axis: the slice axis of a 2D model, None for a 3D one.
        pose: None where none was asked for.
        intensities: one for each image; none where none were asked for.
    """

    grid: Grid
    axis: int | None
    pose: DrawnPose | None
    intensities: tuple[DrawnIntensities, ...]

    @property
    def matrix(self) -> PoseMatrix | None:
        """The pose as a map of space, (4, 4), LPS mm."""
        return None if self.pose is None else self.pose.matrix(self.grid, self.axis)

    def field(self, saved: SavedField) -> Field:
        """The whole map's field: the deformation's, under the pose."""
        return saved.field if self.matrix is None else posed(saved, self.matrix)

    def inverse(self, inverse: Field) -> Field:
        """The field of the whole map's inverse, from that of the deformation's."""
        return inverse if self.matrix is None else unposed(inverse, self.grid, self.matrix)

    def jacobian(self, field: Field, own: NDArray[np.float32]) -> NDArray[np.float32]:
        """Determinant of the whole map; a flip counts as 1, since it folds nothing.

        Args:
            field: of the whole map.
            own: the deformation's determinant.
        """
        if self.pose is None:
            return own
        whole = measure_field(SavedField(field, self.grid, self.axis)).jacobian
        return -whole if self.pose.mirrored else whole

    def metrics(self, found: Mapping[str, Any], case: Case, inverse: Field) -> dict[str, Any]:
        """What a pose adds to metrics; nothing without one.

        ``label_volume_change`` is of the anatomy: the pose's own factor is left out.

        Args:
            found: the other metrics.
            case: the source.
            inverse: of the whole map.
        """
        if self.matrix is None:
            return {}
        factor = 1 / abs(float(np.linalg.det(self.matrix[:3, :3])))
        changes = found["label_volume_change"]
        return {
            "label_volume_change": {
                k: 100 * ((1 + v / 100) / factor - 1) for k, v in changes.items()
            },
            "label_cut_percent": labels_cut(case, inverse),
            "pose_volume": factor,
        }

    def facts(self) -> dict[str, Any]:
        """The drawn numbers, as a recipe has them; empty where nothing was asked for."""
        found: dict[str, Any] = {}
        if self.pose is not None and self.matrix is not None:
            found["pose"] = {**asdict(self.pose), "matrix_lps_mm": self.matrix.tolist()}
        if self.intensities:
            found["intensities"] = [asdict(one) for one in self.intensities]
        return {"drawn": found} if found else {}


def draw_changes(options: Options, case: Case, axis: int | None) -> DrawnChanges:
    """What the seed of the options draws for a case.

    Args:
        options: of the generation.
        case: what is deformed.
        axis: the slice axis of a 2D model, None for a 3D one.
    """
    pose, looks = options.pose, options.intensity
    return DrawnChanges(
        case.grid,
        axis,
        None if pose is None else draw_pose(pose, options.seed, axis),
        () if looks is None else draw_intensities(looks, options.seed, len(case.images)),
    )


def recorded_changes(recipe: Mapping[str, Any], case: Case, axis: int | None) -> DrawnChanges:
    """What a recipe has on record as drawn; nothing where it has nothing.

    Args:
        recipe: of a generated case.
        case: what is deformed.
        axis: the slice axis of a 2D model, None for a 3D one.

    Raises:
        InputError: it cannot be read, or is of another number of images.
    """
    found = recipe.get("drawn", {})
    try:
        pose = DrawnPose.from_record(found["pose"]) if "pose" in found else None
        looks = tuple(map(DrawnIntensities.from_record, found.get("intensities", ())))
    except (LookupError, TypeError, ValueError) as error:
        raise InputError("the numbers drawn for this recipe cannot be read") from error
    if looks and len(looks) != len(case.images):
        raise InputError(
            f"the recipe has intensities of {len(looks)} images", expected=str(len(case.images))
        )
    return DrawnChanges(case.grid, axis, pose, looks)


def labels_cut(case: Case, inverse: Field) -> dict[str, float]:
    """How much of each label left the image, % of its voxels.

    Args:
        case: the source, whose first label map is meant.
        inverse: (X, Y, Z, 3), LPS mm, where the content of each of its voxels goes.
    """
    if case.label_map is None:
        return {}
    labels = case.label_map if case.label_map.ndim == 3 else case.label_map[..., 0]
    gone, whole = dict[str, int](), dict[str, int]()
    along = tile_axis(labels.shape, None)
    for part in parts(labels.shape, along):
        here = along_axis(along, part)
        out = _outside(inverse[here], case.grid, along, part)
        for count, some in ((whole, labels[here]), (gone, labels[here][out])):
            for value, n in zip(*np.unique(some[some != 0], return_counts=True), strict=True):
                count[str(int(value))] = count.get(str(int(value)), 0) + int(n)
    return {value: 100 * gone.get(value, 0) / n for value, n in whole.items()}


def pose_warning(metrics: Mapping[str, Any]) -> str:
    """One line where a pose cut labels off at the image's border, else ''."""
    cut = [value for value, percent in metrics.get("label_cut_percent", {}).items() if percent]
    if not cut:
        return ""
    return f"the pose moves a part of label {', '.join(sorted(cut, key=int))} out of the image"


def refuse_changes(options: Options, what: str) -> None:
    """Refuse a pose, intensities and targets where there are none.

    Raises:
        InputError: one of them is asked for.
    """
    words = {"pose": "pose", "intensity": "changes of intensity", "targets": "targets"}
    for name, kind in words.items():
        if getattr(options, name):
            raise InputError(f"{what} take no {kind}", option=name, expected="none")


def _outside(inverse: Field, grid: Grid, along: int, part: slice) -> NDArray[np.bool_]:
    """Whether the content of each voxel leaves the grid, by ITK's rule of half a voxel."""
    ranges = [np.arange(n)[part] if a == along else np.arange(n) for a, n in enumerate(grid.shape)]
    places = np.stack(np.meshgrid(*ranges, indexing="ij"), -1) + grid.to_voxels(inverse)
    within = (places >= -0.5) & (places < np.array(grid.shape) - 0.5)
    return np.asarray(~within.all(axis=-1))
