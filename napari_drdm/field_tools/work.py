"""What the field commands compute, in a worker: layers in, layer data out; no viewer, no Qt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_drdm.layers.cases import Snapshot, make_case
from napari_drdm.layers.field_layers import DenseField
from napari_drdm.layers.snapshots import take_snapshot
from napari_drdm.messages import in_window
from src_core.cases.case import Case
from src_core.errors import InputError
from src_core.fields.jacobian_words import DET_CONVENTION

if TYPE_CHECKING:
    from napari.layers import Image, Labels

    from napari_drdm.layers.point_layers import LayerPoints

__all__ = [
    "FieldChoice",
    "JacobianDone",
    "MoveDone",
    "PointsDone",
    "jacobian_of",
    "move",
    "move_vertices",
    "snapshot_of",
]


@dataclass(frozen=True, eq=False)
class FieldChoice:
    """A field that is open, or a file with one and its kind where the file does not say it."""

    field: DenseField | None = None
    path: Path | None = None
    kind: str | None = None

    def load(self) -> DenseField:
        """The field.

        Raises:
            InputError: there is none, or the file holds none.
        """
        if self.field is not None:
            return self.field
        if self.path is None:
            raise InputError("no field given", do="choose a field layer or a file")
        from src_core.recipes.pulled_back import pulled_back

        return DenseField(*pulled_back(self.path, kind=self.kind))


@dataclass(frozen=True, eq=False)
class MoveDone:
    """An image and its labels, moved, in their layers' order, and the numbers of the field."""

    image: NDArray[Any]
    labels: tuple[NDArray[Any], ...]
    metrics: dict[str, Any]
    unit: str = "mm"

    @property
    def summary(self) -> str:
        """A summary in one line."""
        m, unit = self.metrics, self.unit
        text = f"Moved by up to {m['max_mm']:.1f} {unit}, {m['mean_mm']:.1f} {unit} on average"
        if m["covered_percent"] < 99.9:
            text += f"; the field covers {m['covered_percent']:.0f} % of the image"
        if m["strict_folding_permille"]:
            text += f"; the field folds in {_few(m['strict_folding_permille'])} of 1,000 cells"
        return text

    @property
    def warning(self) -> str:
        """What a deformation of tissue would not do, in one line; else empty."""
        return "; ".join(in_window(text) for text in self.metrics["warnings"])


@dataclass(frozen=True, eq=False)
class JacobianDone:
    """Determinants and lengths of a field, (Z, Y, X) or (Y, X)."""

    field: DenseField
    jacobian: NDArray[np.float32]
    magnitude: NDArray[np.float32]

    @property
    def summary(self) -> str:
        """A summary in one line."""
        low, high = float(self.jacobian.min()), float(self.jacobian.max())
        folded = int((self.jacobian <= 0).sum())
        share = 1000 * folded / self.jacobian.size
        folds = f"{folded:,} voxels fold ({_few(share)} of 1,000)" if folded else "no voxel folds"
        return f"Determinants {low:.2f} to {high:.2f} ({DET_CONVENTION}), {folds}"


@dataclass(frozen=True, eq=False)
class PointsDone:
    """Vertices of some layers, moved, in their order: (N, 3) each, voxels of the image."""

    voxels: tuple[NDArray[np.float64], ...]
    longest_mm: float
    outside: int
    unit: str = "mm"

    @property
    def summary(self) -> str:
        """A summary in one line."""
        count = sum(map(len, self.voxels))
        text = f"Moved {count:,} points by up to {self.longest_mm:.1f} {self.unit}"
        if not self.outside:
            return text
        return f"{text}; {self.outside:,} lie outside the field: they moved as its border does"


def snapshot_of(image: Image, labels: Sequence[Labels]) -> Snapshot:
    """The image with its labels, copied; to be taken on the main thread.

    Raises:
        InputError: the image cannot be used, or labels do not lie on it.
    """
    first, *others = labels or (None,)
    return take_snapshot(image, first, others).copied()


def move(snapshot: Snapshot, choice: FieldChoice, **options: Any) -> MoveDone:
    """Warp an image and all of its labels by one field.

    Args:
        snapshot: of ``snapshot_of``.
        choice: the field.
        options: of ``src_core.recipes.apply.move_case``.

    Raises:
        InputError: there is no field, or it lies elsewhere.
    """
    from src_core.recipes.apply import move_case

    field = choice.load()
    layer_case = make_case(snapshot)
    case = _placed(layer_case.case, snapshot, field)
    moved = move_case(case, field.displacement, field.grid, **options)
    back = layer_case.back
    return MoveDone(
        layer_case.layer_images(moved.case.images)[0],
        tuple(back(label_map.data) for label_map in moved.case.labels),
        moved.metrics,
        snapshot.length.name,
    )


def move_vertices(
    snapshot: Snapshot, layers: Sequence[LayerPoints], choice: FieldChoice, inverse: bool
) -> PointsDone:
    """Move vertices with the tissue of an image.

    Args:
        snapshot: of ``snapshot_of``, the image that the layers lie on.
        layers: their vertices.
        choice: the field.
        inverse: from the new image to the source.

    Raises:
        InputError: there is no field.
    """
    from src_core.cases.point_set import to_lps
    from src_core.fields.points import move_points

    field = choice.load()
    grid = _placed(make_case(snapshot).case, snapshot, field).grid
    turn, shift = grid.affine[:3, :3], grid.affine[:3, 3]
    voxels, longest, outside = list[NDArray[np.float64]](), 0.0, 0
    for layer in layers:
        places = to_lps(layer.voxels() @ turn.T + shift, "RAS")
        moved = move_points(places, field.displacement, field.grid, inverse=inverse)
        there = to_lps(moved.positions, "RAS") - shift
        voxels.append(there @ np.linalg.inv(turn).T)
        length = np.linalg.norm(moved.positions - places, axis=1)
        longest, outside = max(longest, float(length.max())), outside + int(moved.outside.sum())
    return PointsDone(tuple(voxels), longest, outside, snapshot.length.name)


def jacobian_of(choice: FieldChoice) -> JacobianDone:
    """Determinant and length of a field at its voxels.

    Raises:
        InputError: there is no field.
    """
    from src_core.recipes.apply import jacobian_map

    field = choice.load()
    determinant = jacobian_map(field.displacement, field.grid)
    lengths = np.linalg.norm(field.displacement.astype(np.float64), axis=-1).astype(np.float32)
    maps = [(m[:, :, 0] if field.plane else m).T for m in (determinant, lengths)]
    return JacobianDone(field, *maps)


def _few(permille: float) -> str:
    return f"{permille:.2g}" if permille < 10 else f"{permille:.0f}"


def _placed(case: Case, snapshot: Snapshot, field: DenseField) -> Case:
    """An image without a known place lies where a field of its own shape lies."""
    known = snapshot.affine is not None or case.images[0].path is not None
    return case if known or case.grid.shape != field.grid.shape else replace(case, grid=field.grid)
