"""A grid of pictures: a row for each kind of field, a column for each case, labels outlined."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from src_core.cases.synthetic import SYNTHETIC
from src_core.datasets.reading import Entry
from src_core.drawing.figures import COLOURS, new_figure, save_figure
from src_core.evaluation.cases import EvaluatedCase, load_case
from src_core.evaluation.field_rows import Comparison, row_fields
from src_core.evaluation.levels import Level, drawn_level
from src_core.models.device import fixed_threads

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw_pictures"]

_COLUMNS = 6
_OUTLINES = [COLOURS[name] for name in ("yellow", "sky blue", "vermilion", "green", "purple")]


def draw_pictures(
    folder: Path, comparison: Comparison, entries: Sequence[Entry], level: Level
) -> None:
    """Draw the first cases under each row's field of seed 1, which is computed again."""
    folder.mkdir(exist_ok=True)
    columns = [_column(comparison, entry, level) for entry in entries[:_COLUMNS]]
    rows = list(dict.fromkeys(name for column in columns for name in column))
    size = (2 * len(columns) + 0.3, 2 * len(rows) + 0.3)
    figure, axes = new_figure(len(rows), len(columns), size)
    for line, name in zip(axes, rows, strict=True):
        line[0].set_ylabel(name)
        for ax, column in zip(line, columns, strict=True):
            if name in column:
                _draw(ax, *column[name])
            ax.set_xticks([])
            ax.set_yticks([])
    for ax, entry in zip(axes[0], entries, strict=False):
        ax.set_title(entry.name, fontsize=7)
    figure.supxlabel(SYNTHETIC, fontsize=7)
    save_figure(figure, folder / f"pictures-level-{level}".replace(":", "-"))


def _column(
    comparison: Comparison, entry: Entry, level: Level
) -> dict[str, tuple[NDArray[np.float32], NDArray[np.integer]]]:
    """Row name -> image and labels (A, B) of one case."""
    spec = comparison.model.spec
    with fixed_threads(), torch.inference_mode():
        case = load_case(entry, spec, comparison.anatomy.labels, comparison.plan.slice)
        still = torch.zeros(1, spec.ndim, *[spec.state] * spec.ndim)
        found = {"undeformed": _plane(case, still)}
        for made in row_fields(comparison, case, drawn_level(level, 1, case.code), seed=1):
            found.setdefault(made.row, _plane(case, made.u))
    return found


def _plane(case: EvaluatedCase, u: Tensor) -> tuple[NDArray[np.float32], NDArray[np.integer]]:
    """The image and the labels; of a volume the middle slice of its last axis."""
    image, labels = case.warped(u)
    whole = image[0, 0].numpy()
    middle = whole.shape[-1] // 2
    return (whole, labels) if whole.ndim == 2 else (whole[..., middle], labels[..., middle])


def _draw(ax: Axes, image: NDArray[np.float32], labels: NDArray[np.integer]) -> None:
    ax.imshow(image.T, cmap="gray", vmin=0, vmax=1)
    for index, value in enumerate(v for v in np.unique(labels) if v):
        colour = _OUTLINES[index % len(_OUTLINES)]
        ax.contour((labels == value).T, [0.5], colors=colour, linewidths=0.7)
