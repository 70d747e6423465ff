"""A phantom for 3D models: a bent body of two parts, about as large as a hippocampus."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["bean"]

_SHAPE = (36, 50, 36)
_TISSUE, _BODY, _FLUID = 480.0, 640.0, 180.0


def bean(seed: int = 0) -> list[tuple[Any, dict[str, Any], str]]:
    """Image and labels as napari's layer data, (Z, Y, X), 1 mm; front (2) and back (3) along Y."""
    z, y, x = np.meshgrid(*[np.arange(n, dtype=np.float64) for n in _SHAPE], indexing="ij")
    along = (y - 25) / 19
    bend = 5 * along**2
    thick = np.clip(6.5 - 3 * along - 1.5 * along**2, 1.0, None)
    away = np.hypot(x - 15 - bend, (z - 16 - bend / 2) * 1.2)
    inside = (away < thick) & (np.abs(along) < 1)
    fluid = (np.abs(away - thick - 2.5) < 1.2) & (x > 17 + bend) & (np.abs(along) < 1)
    rng = np.random.default_rng(seed)
    texture = _smooth(rng.standard_normal(_SHAPE)) * 45
    values = np.where(inside, _BODY, np.where(fluid, _FLUID, _TISSUE)) + texture
    values = _smooth(values, 1) + rng.normal(0, 12, _SHAPE)
    labels = np.where(inside, np.where(along < -0.1, 2, 3), 0).astype(np.uint8)
    names = {"drdm": {"label_names": {2: "front", 3: "back"}}}
    place = {"scale": (1, 1, 1), "units": ("mm",) * 3, "axis_labels": ("z", "y", "x")}
    limits = (100.0, 800.0)
    return [
        (values.astype(np.float32), {"name": "bean", "contrast_limits": limits, **place}, "image"),
        (labels, {"name": "bean labels", "opacity": 0.6, "metadata": names, **place}, "labels"),
    ]


def _smooth(values: Any, times: int = 3) -> Any:
    for _ in range(times):
        for axis in range(3):
            values = (np.roll(values, 1, axis) + values * 2 + np.roll(values, -1, axis)) / 4
    return values
