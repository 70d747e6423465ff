"""Whether an image suits a model: its dimension, and the scale it was trained at. No Qt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from src_core.cases.grid import Grid

if TYPE_CHECKING:
    from napari_drdm.layers.cases import Snapshot
    from src_core.models.model import ModelSpec

__all__ = ["describe", "is_stack", "model_warning"]


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


def model_warning(snapshot: Snapshot, spec: ModelSpec) -> str:
    """Why a model does not suit an image, or nothing."""
    from src_core.generation.model_view import scale_fit

    grid = _grid(snapshot)
    if spec.ndim == 3 and min(grid.shape) < 2:
        return "This model is for volumes, and the image is a single slice: choose a 2D model."
    scale = scale_fit(grid, spec)
    if scale is None or scale.fits:
        return ""
    return (
        f"Trained at {scale.low:.2g} to {scale.high:.2g} mm per pixel of its grid, which has "
        f"{scale.here:.2g} on this image: check the layer's scale, draw a region, or expect less "
        "plausible results."
    )


def _grid(snapshot: Snapshot) -> Grid:
    return Grid.from_spacing(snapshot.shape, snapshot.spacing)
