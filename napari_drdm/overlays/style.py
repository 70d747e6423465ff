"""How the user wants overlays drawn."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["DrawingStyle"]


@dataclass(frozen=True)
class DrawingStyle:
    """How overlays are drawn.

    Attributes:
        arrows: in one view, about; never more than 2,000.
        scale: how much longer than true arrows are drawn.
        goes: arrows show where tissue goes, not where it came from.
        lines: of the deformed grid, along the longest side on view.
    """

    arrows: int = 700
    scale: float = 1.0
    goes: bool = False
    lines: int = 24
