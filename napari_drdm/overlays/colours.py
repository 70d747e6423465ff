"""The fixed colour scales of determinants and millimetres, so that results can be compared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from src_core.cases.grid import Grid

__all__ = ["JACOBIAN_LIMITS", "jacobian_colormap", "limit_mm", "magnitude_colormap"]

#: Determinants at the ends of the colour scale; folds lie below it.
JACOBIAN_LIMITS = (0.0, 4.0)
#: Displacement at the end of its colour scales, % of the longest in-plane side.
_LIMIT_PERCENT = 10

_BELOW, _ABOVE = (0.13, 0.40, 0.95), (0.95, 0.30, 0.10)
_FOLD = (1.0, 0.0, 1.0, 1.0)


def limit_mm(grid: Grid) -> float:
    """Displacement at the end of the colour scales, the same for all results on a grid."""
    sides = [n * s for n, s in zip(grid.shape, grid.spacing, strict=True)]
    del sides[grid.slice_axis]
    return max(sides) * _LIMIT_PERCENT / 100


def jacobian_colormap() -> Any:
    """Determinants in colour: blue below 1, orange above, 1 is transparent, and folds are magenta.

    Below 1 the new image shows tissue enlarged, since the map leads back to the source. The scale
    is logarithmic although the layer holds plain determinants; it saturates at 1/4 and 4.
    """
    from napari.utils import Colormap

    low, high = JACOBIAN_LIMITS
    controls = np.unique(np.concatenate([[0.0, 1.0], np.geomspace(0.25, 4.0, 65) / high]))
    strength = np.clip(np.log2(np.maximum(controls * (high - low) + low, 0.25)) / 2, -1, 1)
    alpha = np.clip(np.abs(strength), 0, 1)
    colours = np.where(strength[:, None] < 0, _BELOW, _ABOVE)
    return Colormap(
        colors=np.column_stack([colours, alpha]),
        controls=controls,
        low_color=_FOLD,
        nan_color=_FOLD,
        name="drdm Jacobian",
        display_name="Jacobian (log, 1 is transparent)",
    )


def magnitude_colormap() -> Any:
    """Lengths in colour: viridis, clear where nothing moves and full from half the scale on."""
    from napari.utils import Colormap
    from napari.utils.colormaps import ensure_colormap

    colours = np.array(ensure_colormap("viridis").colors)
    colours[:, 3] = np.clip(np.linspace(0, 2, len(colours)), 0, 1)
    return Colormap(
        colors=colours, name="drdm magnitude", display_name="displacement (0 is transparent)"
    )
