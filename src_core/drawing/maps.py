"""Fields as colours on matplotlib's axes, in mm: length, arrows and change of volume.

``det J`` is the volume of the source per volume of the new image: below 1 tissue grew, above 1 it
shrank.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from src_core.drawing.planes import DrawnPlane
from src_core.drawing.tiles import outlines

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.cm import ScalarMappable

__all__ = [
    "ARROWS_SENTENCE",
    "JACOBIAN_SENTENCE",
    "change_ticks",
    "draw_arrows",
    "draw_change",
    "draw_length",
    "draw_letters",
    "draw_outlines",
    "draw_picture",
]

JACOBIAN_SENTENCE = (
    "det J is the volume of the source per volume of the new image: where it is below 1 (blue) "
    "tissue grew, where it is above 1 (red) tissue shrank; 0 or less (yellow) is a fold."
)
ARROWS_SENTENCE = (
    "Colours are the length of the displacement, arrows its part in the plane at its own scale: "
    "from each place of the new image to where its content came from."
)
_ARROWS = 20
_FOLD = "#ffe600"
_TICKS = (-2, -1, 0, 1, 2)
_TICK_WORDS = ("1/4 grew", "1/2", "1", "2", "4 shrank")


def draw_picture(axes: Axes, picture: Any, plane: DrawnPlane) -> None:
    """A tile of a plane, (rows, columns, 3)."""
    axes.imshow(np.asarray(picture), extent=_extent(plane), interpolation="nearest")
    axes.set_axis_off()


def draw_length(axes: Axes, field: NDArray[Any], plane: DrawnPlane, most: float) -> ScalarMappable:
    """The length of a field (X, Y, Z, 3) in mm, from 0 to ``most``."""
    length = plane.values(np.linalg.norm(field, axis=-1))
    shown = axes.imshow(
        length, cmap="viridis", vmin=0, vmax=max(most, 1e-6), extent=_extent(plane),
        interpolation="bilinear",
    )  # fmt: skip
    axes.set_axis_off()
    return shown


def draw_arrows(axes: Axes, voxels: NDArray[Any], plane: DrawnPlane) -> None:
    """Arrows of a field (X, Y, Z, 3) in voxels, their length in mm."""
    right, down = plane.vectors(voxels)
    width, height = plane.size
    every = max(width, height) / _ARROWS
    x, y = (_places(count, step, every) for count, step in
            zip(plane.shape[::-1], plane.spacing, strict=True))  # fmt: skip
    columns, rows = np.meshgrid(x, y)
    axes.quiver(
        (columns + 0.5) * plane.spacing[0],
        (rows + 0.5) * plane.spacing[1],
        right[rows, columns],
        down[rows, columns],
        angles="xy",
        scale_units="xy",
        scale=1,
        color="white",
        edgecolor="black",
        linewidth=0.3,
        width=0.006,
    )


def draw_change(axes: Axes, jacobian: NDArray[Any], plane: DrawnPlane) -> ScalarMappable:
    """The determinant (X, Y, Z), logarithmic around 1, folds in a colour of their own."""
    from matplotlib import colormaps

    values = plane.values(jacobian).astype(np.float64)
    logs = np.ma.masked_array(np.log2(np.clip(values, 2.0**-8, None)), values <= 0)
    colours = colormaps["RdBu_r"].with_extremes(bad=_FOLD)
    shown = axes.imshow(logs, cmap=colours, vmin=-2, vmax=2, extent=_extent(plane))
    axes.set_axis_off()
    return shown


def change_ticks() -> tuple[tuple[int, ...], tuple[str, ...]]:
    """Places and words of the colour bar of ``draw_change``."""
    return _TICKS, _TICK_WORDS


def draw_letters(axes: Axes, plane: DrawnPlane) -> None:
    """The directions at the edges of a plane, readable on any grey."""
    from matplotlib.patheffects import withStroke

    places = ((0.02, 0.5, "left", "center"), (0.98, 0.5, "right", "center"),
              (0.5, 0.98, "center", "top"), (0.5, 0.02, "center", "bottom"))  # fmt: skip
    for letter, (x, y, across, down) in zip(plane.ends, places, strict=False):
        text = axes.text(
            x, y, letter, ha=across, va=down, color="white", fontsize=8, transform=axes.transAxes
        )
        text.set_path_effects([withStroke(linewidth=1.5, foreground="black")])


def draw_outlines(axes: Axes, labels: NDArray[Any] | None, plane: DrawnPlane) -> None:
    """Thin black outlines of a label map (X, Y, Z), or nothing."""
    if labels is None:
        return
    limits = axes.axis()
    for _, lines in outlines(plane.values(labels)):
        for points in lines:
            x, y = ((points + 0.5) * plane.spacing).T
            axes.plot(x, y, color="black", linewidth=0.9)
    axes.axis(limits)


def _places(count: int, step: float, every: float) -> NDArray[np.intp]:
    """Voxels about so many mm apart, the first and the last equally far from the edges."""
    stride = max(round(every / step), 1)
    start = ((count - 1) % stride) // 2
    return np.arange(start, count, stride)


def _extent(plane: DrawnPlane) -> tuple[float, float, float, float]:
    width, height = plane.size
    return 0.0, width, height, 0.0
