"""``preview.png``: source and result side by side, with labels, arrows and volume change."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from src_core.cases.case import Case
from src_core.cases.synthetic import SYNTHETIC, synthetic_note
from src_core.generation.run import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Extent", "best_slice", "draw_slice", "intensity_window", "save_preview"]

_COLOURS = ("#4f8df7", "#35d04f", "#ffb020", "#e05cd8", "#f4594a")
_ARROWS = 26


def save_preview(result: Result, path: Path) -> None:
    """Draw the slice with most of the labels (the middle one without) and write a PNG."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    index, axis = best_slice(result.source), result.case.grid.slice_axis
    extent = Extent(result.case, axis)
    figure = Figure(figsize=(15.2, 4.6), dpi=100, layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    source, new, arrows, change = figure.subplots(1, 4)
    window = intensity_window(result.source)
    draw_slice(source, result.source, index, extent, window, "source")
    m = result.metrics
    draw_slice(
        new, result.case, index, extent, window, f"new: level {m['level']}, seed {m['seed']}"
    )
    draw_slice(arrows, result.case, index, extent, window, "displacement, mm", labels=False)
    drawn = _arrows(arrows, result, index, extent)
    figure.colorbar(drawn, ax=arrows, shrink=0.8)
    shades = _change(change, result, index, extent)
    bar = figure.colorbar(shades, ax=change, shrink=0.8, ticks=[-2, -1, 0, 1, 2])
    bar.set_ticklabels(["1/4", "1/2", "1", "2", "4"])
    figure.suptitle(
        f"{m['model']}: max {m['max_mm']:.1f} mm, mean {m['mean_mm']:.1f} mm, "
        f"smallest determinant {m['min_det']:.2f}",
        fontsize=11,
    )
    figure.supxlabel(SYNTHETIC, fontsize=8)
    figure.savefig(path, metadata={"Description": synthetic_note()})


class Extent:
    """A slice's axes as they are drawn: first axis across, second down, in mm.

    Args:
        case: whose slices.
        axis: along which they are counted.
    """

    def __init__(self, case: Case, axis: int) -> None:
        self.axis = axis
        across, down = (a for a in range(3) if a != axis)
        self.axes = across, down
        self.spacing = case.grid.spacing[across], case.grid.spacing[down]
        self.shape = case.grid.shape[across], case.grid.shape[down]

    def plane(self, data: NDArray[Any], index: int) -> NDArray[Any]:
        """(rows, columns) of a slice of the first frame."""
        first = data[..., 0] if data.ndim == 4 else data
        return np.take(first, index, axis=self.axis).T

    @property
    def limits(self) -> tuple[float, float, float, float]:
        """left, right, bottom, top."""
        return 0.0, self.shape[0] * self.spacing[0], self.shape[1] * self.spacing[1], 0.0


def best_slice(case: Case) -> int:
    """Index of the slice with most of the labels; the middle one without labels."""
    axis = case.grid.slice_axis
    if case.label_map is None:
        return case.grid.shape[axis] // 2
    first = case.label_map[..., 0] if case.label_map.ndim == 4 else case.label_map
    counts = (first > 0).sum(axis=tuple(a for a in range(3) if a != axis))
    return int(counts.argmax()) if counts.any() else case.grid.shape[axis] // 2


def intensity_window(case: Case) -> tuple[float, float]:
    """Stored values shown as black and as white."""
    low, high = np.percentile(case.image, [0.5, 99.5])
    return float(low), float(high)


def draw_slice(
    axes: Axes,
    case: Case,
    index: int,
    extent: Extent,
    window: tuple[float, float],
    title: str,
    labels: bool = True,
) -> None:
    """Slice ``index`` of a case in grey, with the outlines of its labels."""
    axes.imshow(
        extent.plane(case.image, index),
        cmap="gray",
        vmin=window[0],
        vmax=window[1],
        extent=extent.limits,
        interpolation="bilinear",
    )
    if labels and case.label_map is not None:
        plane = extent.plane(case.label_map, index)
        for number, value in enumerate(v for v in np.unique(case.label_map) if v):
            if (plane == value).any() and not (plane == value).all():
                axes.contour(
                    plane == value,
                    levels=[0.5],
                    colors=_COLOURS[number % len(_COLOURS)],
                    linewidths=1.3,
                    extent=extent.limits,
                    origin="upper",
                )
    axes.set_title(title, fontsize=10)
    axes.set_axis_off()


def _arrows(axes: Axes, result: Result, index: int, extent: Extent) -> Any:
    """Arrows from each place of the new image to where its content came from."""
    voxels = result.case.grid.to_voxels(np.take(result.displacement, index, axis=extent.axis))
    u, v = (voxels[..., a] * s for a, s in zip(extent.axes, extent.spacing, strict=True))
    step = max(1, max(extent.shape) // _ARROWS)
    across, down = (np.arange(step // 2, n, step) for n in extent.shape)
    x, y = np.meshgrid(across, down, indexing="ij")
    du, dv = u[x, y], v[x, y]
    return axes.quiver(
        (x + 0.5) * extent.spacing[0],
        (y + 0.5) * extent.spacing[1],
        du,
        dv,
        np.hypot(du, dv),
        angles="xy",
        scale_units="xy",
        scale=1,
        cmap="viridis",
        width=0.005,
    )


def _change(axes: Axes, result: Result, index: int, extent: Extent) -> Any:
    determinant = extent.plane(result.jacobian, index)
    axes.set_title("det J: below 1 tissue grew, above 1 it shrank", fontsize=10)
    axes.set_axis_off()
    return axes.imshow(
        np.log2(np.clip(determinant, 2.0**-8, None)),
        cmap="RdBu_r",
        vmin=-2,
        vmax=2,
        extent=extent.limits,
    )
