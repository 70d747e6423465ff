"""One result in a figure: source, new image, displacement and change of volume, plane by plane."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from src_core.cases.case import Case
from src_core.drawing.figures import new_figure
from src_core.drawing.maps import (
    change_ticks,
    draw_arrows,
    draw_change,
    draw_length,
    draw_letters,
    draw_outlines,
    draw_picture,
)
from src_core.drawing.planes import length_unit
from src_core.drawing.strips import PlaneStrip

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["CaseResult", "case_figure", "figure_bytes"]


class CaseResult(Protocol):
    """What is drawn of a result, whether it was just made or read from its folder."""

    @property
    def source(self) -> Case:
        """The case it was made from."""

    @property
    def case(self) -> Case:
        """Its images and labels."""

    @property
    def displacement(self) -> NDArray[np.float32]:
        """(X, Y, Z, 3), LPS mm."""

    @property
    def jacobian(self) -> NDArray[Any]:
        """(X, Y, Z)."""

    @property
    def metrics(self) -> dict[str, Any]:
        """The numbers of ``metrics.json``."""

    @property
    def recipe(self) -> dict[str, Any]:
        """What makes it again."""


def case_figure(result: CaseResult, strip: PlaneStrip, across: int = 4) -> Figure:
    """Four panels for each plane, ``across`` of them beside each other.

    Args:
        result: that is drawn.
        strip: planes of its source, and how they are drawn.
        across: 4, or 2 where there is one plane.
    """
    count = 4 * len(strip.planes)
    rows = count // across
    width, height = np.max([plane.size for plane in strip.planes], axis=0)
    inches = 9.6 / across
    size = (9.6 + 0.6 * (across == 4), rows * (inches * min(height / width, 1.4) * 0.86 + 0.25))
    figure, axes = new_figure(rows, across, size)
    panels = axes.reshape(len(strip.planes), 4)
    metrics = result.metrics
    lengths = np.linalg.norm(result.displacement, axis=-1)
    most = max(float(plane.values(lengths).max()) for plane in strip.planes)
    for number, line in enumerate(panels):
        _draw_plane(figure, line, result, strip, number, most)
    title = f"new: level {metrics['level']}, seed {metrics['seed']}"
    titles = (
        "source",
        title,
        f"displacement, {length_unit(result.source)}",
        "det J: below 1 tissue grew",
    )
    for axis, words in zip(panels[0], titles, strict=True):
        axis.set_title(words, fontsize=10, loc="left")
    return figure


def figure_bytes(figure: Figure, note: str = "") -> bytes:
    """The figure as a PNG, ``note`` in its description."""
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=200, metadata={"Description": note} if note else None)
    return stream.getvalue()


def _draw_plane(
    figure: Figure,
    line: NDArray[Any],
    result: CaseResult,
    strip: PlaneStrip,
    number: int,
    most: float,
) -> None:
    plane = strip.planes[number]
    one = PlaneStrip(strip.source, (plane,), strip.side)
    source, new, length, change = line
    draw_picture(source, one.of_case(result.source), plane)
    draw_letters(source, plane)
    draw_picture(new, one.of_case(result.case), plane)
    shown = draw_length(length, result.displacement, plane, most)
    draw_arrows(length, result.source.grid.to_voxels(result.displacement), plane)
    _bar(figure, length, shown)
    bar = _bar(figure, change, draw_change(change, result.jacobian, plane))
    places, words = change_ticks()
    bar.set_ticks(places, labels=words)
    for axes in (length, change):
        draw_outlines(axes, _first_frame(result.case), plane)


def _bar(figure: Figure, axes: Axes, shown: Any) -> Any:
    bar = figure.colorbar(shown, ax=axes, shrink=0.85, pad=0.02, aspect=28)
    bar.ax.tick_params(labelsize=8)
    return bar


def _first_frame(case: Case) -> NDArray[Any] | None:
    labels = case.label_map
    return labels[..., 0] if labels is not None and labels.ndim == 4 else labels
