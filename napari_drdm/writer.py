"""Layers back to NIfTI: the reverse of the reader, with the affine they came with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from src_core.case import Case
from src_core.io import write_image

__all__ = ["write_layer"]


def write_layer(path: str, data: Any, attributes: dict[str, Any]) -> list[str]:
    """Write an image or labels layer; geometry is the layer's affine, else its scale.

    Raises:
        InputError: the layer is no image of 2 to 4 axes, or the file cannot be written.
    """
    values = np.asarray(data)
    affine = attributes.get("metadata", {}).get("drdm", {}).get("affine")
    spacing = np.abs(np.asarray(attributes.get("scale", np.ones(values.ndim)))[-3:])[::-1]
    if affine is None or values.ndim < 3:
        case = Case.from_arrays(values.T, spacing=_three(spacing))
    else:
        case = Case.from_arrays(values.T, affine=affine)
    name = path if path.lower().endswith((".nii", ".nii.gz")) else f"{path}.nii.gz"
    write_image(Path(name), case.image, case.images[0], case.grid)
    return [name]


def _three(spacing: np.ndarray) -> tuple[float, float, float]:
    x, y, z = [*map(float, spacing), 1.0][:3]
    return x, y, z
