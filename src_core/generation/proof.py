"""The certificate of a saved field, and where it fails."""

from __future__ import annotations

from torch import Tensor

from src_core.fields import Certificate, cell_bounds, certify
from src_core.generation.frame import Frame

__all__ = ["FLOOR", "prove", "weak_points"]

#: Smallest determinant a certified field may have anywhere.
FLOOR = 0.01


def prove(saved: Tensor) -> Certificate:
    """One certificate for all slices of a saved field, (Z or 1, D, *plane), float64 voxels."""
    parts = certify(saved, FLOOR)
    return Certificate(
        min_det=min(p.min_det for p in parts),
        bad_cells=sum(p.bad_cells for p in parts),
        low_cells=sum(p.low_cells for p in parts),
        cells=sum(p.cells for p in parts),
    )


def weak_points(frame: Frame, u: Tensor) -> Tensor:
    """Centres of the cells without certificate, in state voxels: (1, D, *state) -> (1, D, N)."""
    bounds = cell_bounds(frame.saved_unit(u), FLOOR)[0]
    centres = (bounds < FLOOR).nonzero().T[None].to(u.dtype) + 0.5
    return frame.to_state(centres, u.shape[-1])
