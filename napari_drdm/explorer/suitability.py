"""Whether an image suits a model: its dimension, and the scale it was trained at. No Qt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from src_core.cases.grid import Grid

if TYPE_CHECKING:
    from napari_drdm.layers.cases import Snapshot
    from src_core.models.model import ModelSpec

__all__ = ["describe", "is_stack", "model_warning"]


def describe(shape: tuple[int, int, int], spacing: tuple[float, float, float], frames: int) -> str:
    """``216 x 256 x 10, 1.37 x 1.37 x 10 mm``, and the frames of a cine."""
    sides = " x ".join(map(str, shape)) + (f" x {frames} frames" if frames > 1 else "")
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
