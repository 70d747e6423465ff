"""Whether an image suits a model: its dimension, and the scale it was trained at. No Qt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from src_core.cases.grid import Grid

if TYPE_CHECKING:
    from napari_drdm.layers.cases import Snapshot
    from src_core.generation.verdict import Grade
    from src_core.models.model import ModelSpec

__all__ = ["ModelSuitability", "describe", "is_stack", "model_suitability"]


@dataclass(frozen=True)
class ModelSuitability:
    """Whether an image's dimension and scale suit a model: '' where they do.

    Attributes:
        text: in one short sentence.
        grade: its colour.
        details: for the tooltip.
    """

    text: str = ""
    grade: Grade | None = None
    details: str = ""


def describe(snapshot: Snapshot) -> str:
    """``10 x 256 x 216 voxels (z, y, x), 10 x 1.37 x 1.37 mm``, and the frames of a cine.

    Axes are in napari's order. Without a known spacing lengths are in px.
    """
    n = min(snapshot.image.ndim, 3)
    shape, spacing = snapshot.shape[n - 1 :: -1], snapshot.spacing[n - 1 :: -1]
    sides = " x ".join(map(str, shape))
    sides += " voxels (z, y, x)" if n == 3 else " pixels (rows, columns)"
    if snapshot.image.ndim == 4:
        sides = f"{len(snapshot.image)} frames of {sides}"
    if not snapshot.length.known:
        return f"{sides}, spacing unknown (px)"
    return f"{sides}, {' x '.join(f'{s:.3g}' for s in spacing)} mm"


def is_stack(snapshot: Snapshot, spec: ModelSpec) -> bool:
    """Whether the image has several slices for a 2D model."""
    return spec.ndim == 2 and _grid(snapshot).shape[_grid(snapshot).slice_axis] > 1


def model_suitability(snapshot: Snapshot, spec: ModelSpec) -> ModelSuitability:
    """Whether a model suits an image; a scale is judged only where the spacing is known."""
    from src_core.generation.scale import scale_fit

    grid = _grid(snapshot)
    if spec.ndim == 3 and min(grid.shape) < 2:
        text = "This model is for volumes, and the image is a single slice: choose a 2D model."
        return ModelSuitability(text, "caution")
    scale = scale_fit(grid, spec)
    if scale is not None and not snapshot.length.known:
        return ModelSuitability("Spacing unknown: the scale was not compared with the training.")
    if scale is None or scale.fits:
        return ModelSuitability()
    return ModelSuitability(
        "The scale does not fit this model: results may be implausible.",
        "caution",
        f"Trained at {scale.low:.2g} to {scale.high:.2g} mm per pixel of its grid, which has "
        f"{scale.here:.2g} on this image: check the layer's scale, or draw a region",
    )


def _grid(snapshot: Snapshot) -> Grid:
    return Grid.from_spacing(snapshot.shape, snapshot.spacing)
