"""The certificate of a saved field, and where it fails."""

from __future__ import annotations

import torch
from torch import Tensor

from src_core.cases.tiles import parts
from src_core.fields import Certificate, cell_bounds, certify, together
from src_core.generation.model_view import Frame

__all__ = ["FLOOR", "prove", "weak_points"]

#: Smallest determinant a certified field may have anywhere.
FLOOR = 0.01


def prove(saved: Tensor) -> Certificate:
    """One certificate for all slices of a saved field, (Z or 1, D, *plane), float64 voxels."""
    return together(certify(saved, FLOOR))


def weak_points(frame: Frame, u: Tensor) -> Tensor:
    """Centres of the cells without certificate, in state voxels: (1, D, *state) -> (1, D, N)."""
    plane, found = frame.plane, []
    for part in parts(plane, 0):
        last = min(part.stop + 1, plane[0])
        if last - part.start > 1:
            bounds = cell_bounds(frame.saved_unit(u, slice(part.start, last)), FLOOR)[0]
            low = (bounds < FLOOR).nonzero()
            low[:, 0] += part.start
            found.append(low)
    centres = torch.cat(found).T[None].to(u.dtype) + 0.5
    return frame.to_state(centres, u.shape[-1])
