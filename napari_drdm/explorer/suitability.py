"""Whether an image suits a model: its dimension, and the scale it was trained at. No Qt."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from src_core.cases.grid import Grid

if TYPE_CHECKING:
    from napari_drdm.layers.cases import Snapshot
    from src_core.models.model import ModelSpec

__all__ = ["describe", "is_stack", "model_warning"]

_TOLERANCE = 1.25


def describe(shape: tuple[int, int, int], spacing: tuple[float, float, float], frames: int) -> str:
    """``216 x 256 x 10, 1.37 x 1.37 x 10 mm``, and the frames of a cine."""
    sides = " x ".join(map(str, shape)) + (f" x {frames} frames" if frames > 1 else "")
    return f"{sides}, {' x '.join(f'{s:.3g}' for s in spacing)} mm"


def is_stack(snapshot: Snapshot, spec: ModelSpec) -> bool:
    """Whether a 2D model would meet several slices."""
    return spec.ndim == 2 and _grid(snapshot).shape[_grid(snapshot).slice_axis] > 1


def model_warning(snapshot: Snapshot, spec: ModelSpec) -> str:
    """Why a model does not suit an image, or nothing."""
    from src_core.models.fit import Fit

    grid = _grid(snapshot)
    if spec.ndim == 3 and min(grid.shape) < 2:
        return "This model is for volumes, and the image is a single slice: choose a 2D model."
    if spec.mm_per_pixel is None:
        return ""
    keep = [a for a in range(3) if spec.ndim == 3 or a != grid.slice_axis]
    shape, spacing = np.array(grid.shape)[keep], np.array(grid.spacing)[keep]
    scale = Fit(tuple(shape.tolist()), tuple(spacing.tolist()), spec.size).mm_per_pixel
    low, high = spec.mm_per_pixel
    if low / _TOLERANCE <= scale <= high * _TOLERANCE:
        return ""
    return (
        f"Trained at {low:.2g} to {high:.2g} mm per pixel of its own grid; laid over this image "
        f"it has {scale:.2g}: check the layer's scale, draw a region, or expect less plausible "
        "results."
    )


def _grid(snapshot: Snapshot) -> Grid:
    return Grid.from_spacing(snapshot.shape, snapshot.spacing)
