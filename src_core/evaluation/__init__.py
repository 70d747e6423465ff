"""What a recovery is worth: measures of fields, and the row "no network" to hold beside them."""

from __future__ import annotations

from src_core.evaluation.measures import (
    displacement_percent,
    ellipse_agreement,
    removed_energy,
    shared_share,
)

__all__ = ["displacement_percent", "ellipse_agreement", "removed_energy", "shared_share"]
