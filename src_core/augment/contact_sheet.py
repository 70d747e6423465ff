"""A contact sheet of a run: some cases, each beside its new cases, labels outlined."""

from __future__ import annotations

import warnings
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from src_core.augment.run_folder import read_index
from src_core.cases.synthetic import SYNTHETIC, synthetic_note
from src_core.drawing.figures import new_figure
from src_core.drawing.planes import choose_planes
from src_core.drawing.strips import PlaneStrip
from src_core.drawing.tiles import tile
from src_core.errors import InputError
from src_core.fields.warp_case import warp_case
from src_core.io import open_atomically, read_case, read_field
from src_core.io.formats import is_picture

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from src_core.cases.case import Case
    from src_core.fields.planes import Field

__all__ = ["SHEET", "save_sheet"]

SHEET = "contact-sheet.png"
_ROWS, _COLUMNS = 5, 5
_INCHES, _DPI = 1.9, 100
#: Pixels of a tile's longest side, about those it has on the sheet.
_PIXELS = 170

_T = TypeVar("_T")
Row = dict[str, str]


def save_sheet(out: Path, spacing: float | None = None) -> Path:
    """Draw a run's cases, evenly spread over its index, as ``contact-sheet.png``.

    Of new cases, some of each case; of pairs, one of each case, with the differences before and
    after the field between them is applied.

    Args:
        out: of the run.
        spacing: mm per pixel of pictures, as in the run.

    Raises:
        InputError: there are no new cases yet, or they cannot be read.
    """
    groups = [list(rows) for _, rows in groupby(read_index(out), key=itemgetter("source"))]
    if not groups:
        raise InputError("there is nothing to show yet", where=str(out), expected="new cases")
    paired = "moving" in groups[0][0]
    shown = [_spread(rows, 1 if paired else _COLUMNS) for rows in _spread(groups, _ROWS)]
    columns = 1 + (4 if paired else max(len(rows) for rows in shown))
    size = (_INCHES * columns, (_INCHES + 0.35) * len(shown))
    figure, axes = new_figure(len(shown), columns, size)
    draw = _draw_pair if paired else _draw_cases
    for line, rows in zip(axes, shown, strict=True):
        _draw_row(line, Path(out), rows, spacing, draw)
    with open_atomically(Path(out) / SHEET) as file, warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph")  # a name in letters that its font lacks
        figure.supxlabel(SYNTHETIC, fontsize=7)
        words = {"Description": synthetic_note()}
        figure.savefig(file, format="png", dpi=_DPI, metadata=words)
    return Path(out) / SHEET


class _SliceView:
    """The slice of a source that a row shows, and how bright."""

    def __init__(self, source: Case) -> None:
        self.strip = PlaneStrip(source, choose_planes(source, planes="slice"), _PIXELS)

    def draw(self, axes: Axes, case: Case, title: str) -> None:
        axes.imshow(self.strip.of_case(case))
        axes.set_title(title)

    def draw_change(self, axes: Axes, change: NDArray[np.float64], title: str) -> None:
        """(X, Y, Z), zero in grey; black and white are half the intensity window away."""
        plane, (low, high) = self.strip.planes[0], self.strip.window
        reach = max(high - low, 1e-9) / 2
        grey = tile(plane.values(change), None, plane, self.strip.scale, (-reach, reach), {})
        axes.imshow(grey)
        axes.set_title(title)


def _draw_row(
    line: Sequence[Axes],
    out: Path,
    rows: Sequence[Row],
    spacing: float | None,
    draw: Callable[[Sequence[Axes], Path, Sequence[Row], _SliceView], None],
) -> None:
    """One case, then its new cases, on the slice with most of its labels."""
    first = rows[0]
    scale = spacing if is_picture(first["source"]) else None
    source = read_case(first["source"], first["source_labels"] or None, scale)
    view = _SliceView(source)
    view.draw(line[0], source, _short(source.name))
    draw(line[1:], out, rows, view)
    for axes in line:
        axes.title.set_fontsize(7)
        axes.set_axis_off()


def _draw_cases(line: Sequence[Axes], out: Path, rows: Sequence[Row], view: _SliceView) -> None:
    for axes, row in zip(line, rows, strict=False):
        words = f"level {row['level']}, seed {row['seed']}\nmax {_mm(row)} mm"
        view.draw(axes, _case(out, row, "image", "labels"), words)


def _draw_pair(line: Sequence[Axes], out: Path, rows: Sequence[Row], view: _SliceView) -> None:
    row = rows[0]
    moving, fixed = (_case(out, row, kind, f"{kind}-labels") for kind in ("moving", "fixed"))
    field, _ = read_field(out / row["displacement"])
    view.draw(line[0], moving, f"moving: level {row['moving_level']}")
    view.draw(line[1], fixed, f"fixed: level {row['level']} further\nmax {_mm(row)} mm")
    seen = _inside(field, moving)
    for axes, case, title in (
        (line[2], moving, "fixed - moving"),
        (line[3], warp_case(moving, field), "after the field"),
    ):
        change = fixed.image.astype(np.float64) - case.image
        frames = seen.reshape(*seen.shape, *[1] * (change.ndim - 3))
        view.draw_change(axes, np.where(frames, change, 0.0), title)


def _inside(field: Field, case: Case) -> NDArray[np.bool_]:
    """(X, Y, Z): where a field does not leave the image, so that there is something to compare."""
    at = np.moveaxis(np.indices(case.grid.shape), 0, -1) + case.grid.to_voxels(field)
    inside = (at >= 0) & (at <= np.array(case.grid.shape) - 1)
    return np.asarray(inside.all(axis=-1))


def _case(out: Path, row: Row, image: str, labels: str) -> Case:
    return read_case(out / row[image], out / row[labels] if row[labels] else None)


def _mm(row: Row) -> str:
    return f"{float(row['max_mm']):.1f}"


def _short(name: str, most: int = 24) -> str:
    return name if len(name) <= most else f"{name[: most - 1]}…"


def _spread(values: Sequence[_T], most: int) -> list[_T]:
    places = np.linspace(0, len(values) - 1, min(len(values), most)).round().astype(int)
    return [values[place] for place in np.unique(places)]
