"""What a model is worth: Table 1, and what it lacks, beside rows that need no network."""

from __future__ import annotations

from src_core.evaluation.measures import (
    displacement_percent,
    diversity,
    removed_energy,
    shared_share,
)
from src_core.evaluation.octaves import octave_energies
from src_core.evaluation.shapes import ellipse_agreement, wall_thickness

__all__ = [
    "displacement_percent",
    "diversity",
    "ellipse_agreement",
    "octave_energies",
    "removed_energy",
    "shared_share",
    "wall_thickness",
]
