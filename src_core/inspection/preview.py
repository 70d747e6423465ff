"""``preview.png``: source and result, with labels, arrows and change of volume."""

from __future__ import annotations

from pathlib import Path

from src_core.cases.synthetic import SYNTHETIC, synthetic_note
from src_core.inspection.case_figure import CaseResult, case_figure, figure_bytes
from src_core.inspection.film_steps import strip_of
from src_core.inspection.options import PlaneOptions
from src_core.io import open_atomically

__all__ = ["save_preview"]


def save_preview(result: CaseResult, path: Path) -> None:
    """Draw the planes with most of the labels (the middle ones without) and write a PNG."""
    figure = case_figure(result, strip_of(result.source, PlaneOptions(crop="none"), 500))
    m = result.metrics
    figure.suptitle(
        f"{m['model']}: max {m['max_mm']:.1f} mm, mean {m['mean_mm']:.1f} mm, "
        f"smallest determinant {m['min_det']:.2f}",
        fontsize=11,
    )
    figure.supxlabel(SYNTHETIC, fontsize=8)
    with open_atomically(path) as file:
        file.write(figure_bytes(figure, synthetic_note()))
