"""What an applied field did that a deformation of tissue does not: folds, and labels lost."""

from __future__ import annotations

from typing import Any

from src_core.errors import OptionName, Phrase

__all__ = ["MOST_FOLDED", "field_warnings"]

#: Folded voxels, in 1,000, above which a field is likely to be read as of a wrong kind.
MOST_FOLDED = 50.0


def field_warnings(metrics: dict[str, Any]) -> list[str]:
    """Warnings from the metrics of an applied field.

    Args:
        metrics: ``folding_permille`` and ``labels_lost``.
    """
    found: list[str] = []
    if metrics["folding_permille"] > MOST_FOLDED:
        share = f"the field folds {metrics['folding_permille'] / 10:.1f} % of the voxels: "
        found.append(
            Phrase(share, "its values may be of another kind, see ", OptionName("field_kind"))
        )
    if metrics["labels_lost"]:
        lost = ", ".join(map(str, metrics["labels_lost"]))
        found.append(f"the field leaves nothing of label {lost}: it may not be the image's")
    return found
