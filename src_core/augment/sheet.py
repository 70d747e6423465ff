"""A contact sheet of a run: some cases, each before new ones made of it, labels outlined."""

from __future__ import annotations

import warnings
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from src_core.augment.index import read_index
from src_core.errors import InputError
from src_core.io import open_atomically, read_case
from src_core.preview import Extent, best_slice, draw_slice, intensity_window

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from src_core.case import Case

__all__ = ["SHEET", "save_sheet"]

SHEET = "contact-sheet.png"
_ROWS, _COLUMNS = 5, 5
_INCHES, _DPI = 1.9, 100

_T = TypeVar("_T")
Row = dict[str, str]


def save_sheet(out: Path, spacing: float | None = None) -> Path:
    """Draw what a run's folder holds, evenly spread over its index, as ``contact-sheet.png``.

    Args:
        out: of the run.
        spacing: mm per pixel of pictures, as in the run.

    Raises:
        InputError: nothing was made there yet, or it cannot be read.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    groups = [list(rows) for _, rows in groupby(read_index(out), key=itemgetter("source"))]
    shown = [_spread(rows, _COLUMNS) for rows in _spread(groups, _ROWS)]
    if not shown:
        raise InputError("there is nothing to show yet", where=str(out), expected="new cases")
    columns = 1 + max(len(rows) for rows in shown)
    size = (_INCHES * columns, (_INCHES + 0.35) * len(shown))
    figure = Figure(figsize=size, dpi=_DPI, layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    for line, rows in zip(figure.subplots(len(shown), columns, squeeze=False), shown, strict=True):
        _draw_row(line, Path(out), rows, spacing)
    with open_atomically(Path(out) / SHEET) as file, warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph")  # a name in letters that its font lacks
        figure.savefig(file, format="png")
    return Path(out) / SHEET


def _draw_row(line: Sequence[Axes], out: Path, rows: Sequence[Row], spacing: float | None) -> None:
    """One case, then what was made of it, on the slice with most of its labels."""
    from src_core.io.picture import is_picture

    first = rows[0]
    scale = spacing if is_picture(first["source"]) else None
    source = read_case(first["source"], first["source_labels"] or None, scale)
    index, window = best_slice(source), intensity_window(source)
    extent = Extent(source, source.grid.slice_axis)
    title = _short(source.name)
    draw_slice(line[0], source, index, extent, window, title)
    for axes, row in zip(line[1:], rows, strict=False):
        draw_slice(axes, _new(out, row), index, extent, window, _words(row))
    for axes in line:
        axes.title.set_fontsize(7)
        axes.set_axis_off()


def _new(out: Path, row: Row) -> Case:
    return read_case(out / row["image"], out / row["labels"] if row["labels"] else None)


def _words(row: Row) -> str:
    return f"level {row['level']}, seed {row['seed']}\nmax {float(row['max_mm']):.1f} mm"


def _short(name: str, most: int = 24) -> str:
    return name if len(name) <= most else f"{name[: most - 1]}…"


def _spread(values: Sequence[_T], most: int) -> list[_T]:
    places = np.linspace(0, len(values) - 1, min(len(values), most)).round().astype(int)
    return [values[place] for place in np.unique(places)]
