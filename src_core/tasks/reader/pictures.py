"""A slice as readers see it: one square about its centre, turned by the header, in 256 greys.

Every kind of image goes through the same crop, window of intensities and resampling.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from src_core.cases.case import Case
from src_core.cases.grid import Grid
from src_core.experiments.statistics import Array
from src_core.fields.planes import Field
from src_core.fields.sampling import sample
from src_core.io import open_atomically
from src_core.models.preprocessing import intensity_window
from src_core.tasks.reader.blur import noise_kept
from src_core.tasks.segmentation.crop import pixel_positions, plane_axes

__all__ = ["PictureCrop", "field_figures", "slice_turns", "write_picture"]

#: Percentiles of the shown square that become black and white.
_PERCENTILES = (0.5, 99.5)
#: Voxels of a label in a slice below which it does not count as present.
_LEAST = 10


@dataclass(frozen=True)
class PictureCrop:
    """What of a slice is shown, and in how many pixels.

    Attributes:
        part: of the shorter side, 0 to 1.
        size: pixels per side.
    """

    part: float
    size: int

    def picture(self, case: Case, index: int) -> NDArray[np.uint8]:
        """A slice of the first frame, (rows, columns)."""
        plane = torch.from_numpy(_plane(case, index).astype(np.float32))
        axes = plane_axes(case.grid)
        positions = pixel_positions(self.size, self._side(case.grid) / self.size)
        values = sample(plane[None, None], axes.voxels(positions, (0.0, 0.0)), "cubic")[0, 0]
        low, high = intensity_window(values.numpy(), _PERCENTILES)
        unit = ((values.numpy().astype(np.float64) - low) / (high - low)).clip(0, 1)
        if case.images[0].scaling[0] < 0:
            unit = 1 - unit
        return np.ascontiguousarray((255 * unit).round().astype(np.uint8).T)

    def shown(self, grid: Grid) -> tuple[slice, ...]:
        """Voxels of a slice that the picture shows, along the slice's two axes."""
        axes, side = plane_axes(grid), self._side(grid)
        found = []
        for count, spacing in zip(axes.shape, axes.spacing, strict=True):
            rim = max(0, round((count - side / spacing) / 2))
            found.append(slice(rim, max(count - rim, rim + 1)))
        return tuple(found)

    def _side(self, grid: Grid) -> float:
        """Side of the square, mm."""
        axes = plane_axes(grid)
        return self.part * min(n * s for n, s in zip(axes.shape, axes.spacing, strict=True))


def field_figures(field: Field, grid: Grid, index: int, view: PictureCrop) -> dict[str, float]:
    """What a field does to the shown part of a slice.

    Args:
        field: (X, Y, Z, 3), LPS mm.
        grid: of the field.
        index: of the slice.
        view: what is shown.

    Returns:
        ``mean_mm``, ``max_mm``, ``noise_kept`` and ``outside``, the part that comes from beyond
        the image.
    """
    axis, shown = grid.slice_axis, view.shown(grid)
    plane: Array = np.take(field.astype(np.float64), index, axis=axis)
    mm = plane[shown]
    length, voxels = np.linalg.norm(mm, axis=-1), grid.to_voxels(mm)
    lines = [np.array([index]) if a == axis else np.arange(n) for a, n in enumerate(grid.shape)]
    places = np.stack(np.meshgrid(*lines, indexing="ij"), -1).squeeze(axis)
    at = places[shown] + voxels
    beyond = ((at < -0.5) | (at > np.array(grid.shape) - 0.5)).any(axis=-1)
    return {
        "mean_mm": float(length.mean()),
        "max_mm": float(length.max()),
        "noise_kept": noise_kept(np.where(np.abs(voxels) < 1e-6, 0.0, voxels)),
        "outside": float(beyond.mean()),
    }


def slice_turns(case: Case, choice: str) -> list[int]:
    """Slices in the order in which they are shown when a case comes again.

    The chosen one first, then its neighbours, near ones first; the middle one is that of the
    slices with every label of the case, or of all.
    """
    count, axis = case.grid.shape[case.grid.slice_axis], case.grid.slice_axis
    first = count // 2
    if case.label_map is not None:
        labels = case.label_map[..., 0] if case.label_map.ndim == 4 else case.label_map
        first = _labelled_slice(np.moveaxis(labels, axis, 0), choice, first)
    return sorted(range(count), key=lambda index: (abs(index - first), index))


def write_picture(path: Path, pixels: NDArray[np.uint8]) -> None:
    """Write a PNG; all of a test have the same size in bytes and the same text."""
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    info.add_text("Description", f"reader test, napari-drdm {version('napari-drdm')}: real or "
                  "synthetic, for research only")  # fmt: skip
    with open_atomically(path) as file:
        Image.fromarray(pixels).save(file, format="PNG", pnginfo=info, compress_level=0)


def _plane(case: Case, index: int) -> NDArray[np.generic]:
    data = case.image[..., 0] if case.image.ndim == 4 else case.image
    return np.asarray(data.take(index, case.grid.slice_axis))


def _labelled_slice(stack: NDArray[np.integer], choice: str, without: int) -> int:
    values = [v for v in np.unique(stack) if v]
    areas: Array = np.array([(stack == v).sum(axis=(1, 2)) for v in values])
    if not values:
        return without
    if choice == "largest":
        return int(areas.sum(axis=0).argmax())
    complete: Sequence[int] = np.flatnonzero((areas >= _LEAST).all(axis=0)).tolist()
    some = complete or np.flatnonzero(areas.any(axis=0)).tolist()
    return int(some[len(some) // 2])
