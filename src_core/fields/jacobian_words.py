"""The Jacobian determinant in the words of the tissue: did it grow or shrink?

A map here leads from the new image to the source, ``new(x) = source(phi(x))``: det J is the volume
in the source of what takes a volume of 1 in the new image. Below 1 the tissue grew.
"""

from __future__ import annotations

__all__ = ["DET_CONVENTION", "change_in_words"]

DET_CONVENTION = "below 1 this tissue grew, above 1 it shrank"
_SAME = 0.005


def change_in_words(det: float) -> str:
    """What a determinant says of the tissue: ``grew x1.25``, ``shrank x0.80``, or a fold."""
    if det <= 0:
        return "a fold"
    factor = 1 / det
    if abs(factor - 1) < _SAME:
        return "kept its size"
    return f"{'grew' if factor > 1 else 'shrank'} ×{factor:.2f}"
