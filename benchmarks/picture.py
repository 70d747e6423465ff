"""A grid of pictures: a row for each kind of field, a column for each patient, with contours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from torch import Tensor

from benchmarks.cases import Subject

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["picture_grid"]

# Right ventricle, left cavity, left epicardium; apart in lightness too, for the colour-blind.
COLOURS = ("#56b4e9", "#f0e442", "#d55e00")
COLUMNS = 6


def picture_grid(
    subjects: Sequence[Subject], fields: Mapping[str, Sequence[Tensor]], path: Path
) -> None:
    """Draw each subject under each field.

    Args:
        subjects: the first six are drawn.
        fields: row name -> a DDF (1, 2, *state), state voxels, for each subject.
        path: of the picture file.
    """
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    shown = subjects[:COLUMNS]
    size = (2 * len(shown), 2 * len(fields) + 0.3)
    figure, grid = pyplot.subplots(
        len(fields), len(shown), figsize=size, squeeze=False, layout="constrained"
    )
    for row, (name, displacements) in zip(grid, fields.items(), strict=True):
        row[0].set_ylabel(name)
        for axes, subject, u in zip(row, shown, displacements, strict=False):
            _draw(axes, subject, u)
    for axes, subject in zip(grid[0], shown, strict=True):
        axes.set_title(subject.name, fontsize=8)
    figure.savefig(path, dpi=120)
    pyplot.close(figure)


def _draw(axes: Axes, subject: Subject, u: Tensor) -> None:
    image, masks = subject.warped(u)
    axes.imshow(image[0, 0].T, cmap="gray", vmin=0, vmax=1)
    for mask, colour in zip(masks[0], COLOURS, strict=True):
        if mask.max() > 0.5:
            axes.contour(mask.T, [0.5], colors=colour, linewidths=0.8)
    axes.set_xticks([])
    axes.set_yticks([])
