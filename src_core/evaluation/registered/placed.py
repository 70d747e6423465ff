"""Cases as they are registered: a faint image with its labels painted over it.

Labels are painted so that a registration by intensities brings each onto the same label; without
labels the image alone counts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from src_core.evaluation.cases import EvaluatedCase
from src_core.evaluation.registered.registration import Similarity, similarity
from src_core.fields.sampling import identity, sample

__all__ = ["PaintedCase", "align", "in_frame", "overlaps", "painted", "transported"]

_SIDE = 128
#: Largest intensity of what no label covers; labels share the rest up to 1 in equal steps.
_FAINT = 0.2


@dataclass(frozen=True, eq=False)
class PaintedCase:
    """A case on its model's grid, or coarser.

    Attributes:
        values: (1, 1, *side) in 0..1, labels painted.
        shares: (1, K, *side), of each label, 0..1.
        mm: per voxel.
    """

    values: Tensor
    shares: Tensor
    mm: float

    @property
    def grid(self) -> tuple[int, float]:
        """Voxels per side, and mm per voxel."""
        return self.values.shape[-1], self.mm

    def centre(self) -> NDArray[np.float64]:
        """Centre of mass of the labels, (D,), mm from the image's centre; 0 without labels."""
        weights = self.shares.sum(1, keepdim=True).double()
        ndim, (side, mm) = weights.dim() - 2, self.grid
        if not weights.any():
            return np.zeros(ndim)
        at = (identity([side] * ndim, weights) - (side - 1) / 2) * mm
        axes = tuple(range(2, weights.dim()))
        return np.asarray(((at * weights).sum(axes) / weights.sum())[0])


def painted(case: EvaluatedCase, state: int) -> PaintedCase:
    """A case for registration, on a grid of about 128 voxels per side.

    Args:
        case: to be registered.
        state: voxels per side of the state grid, which that grid is a multiple of.
    """
    size = case.images.shape[-1]
    factor = next(f for f in range(max(size // _SIDE, 1), 0, -1) if size % (f * state) == 0)
    pool = {2: functional.avg_pool2d, 3: functional.avg_pool3d}[case.images.dim() - 2]
    image, shares = pool(case.images, factor), pool(case.masks, factor)
    count = shares.shape[1]
    if not count:
        return PaintedCase(image, shares, case.mm_per_voxel * factor)
    steps = torch.arange(1, count + 1) / count * (1 - _FAINT) + _FAINT
    colours = (shares * steps.view(1, -1, *[1] * (shares.dim() - 2))).sum(1, keepdim=True)
    background = (1 - shares.sum(1, keepdim=True)).clamp(min=0)
    return PaintedCase(_FAINT * image * background + colours, shares, case.mm_per_voxel * factor)


def align(frame: PaintedCase, case: PaintedCase) -> Similarity:
    """The similarity from the positions of a common frame to those of a case."""
    return similarity(
        frame.values[0, 0],
        case.values[0, 0],
        (frame.mm, case.mm),
        (frame.centre(), case.centre()),
    )


def in_frame(frame: PaintedCase, case: PaintedCase) -> PaintedCase:
    """A case on the grid of a frame, its pose and scale those of the frame."""
    at = align(frame, case).voxels(frame.grid, case.grid).float()
    return PaintedCase(sample(case.values, at), sample(case.shares, at), frame.mm)


def transported(u: Tensor, frame: PaintedCase, case: PaintedCase, similar: Similarity) -> Tensor:
    """A field of a frame as the field of a case: the same map, seen through their similarity.

    Beyond the frame the displacement at its border continues.

    Args:
        u: (1, D, *side), voxels of the frame.
        frame: whose field it is.
        case: whose field is asked for.
        similar: from the frame to the case.

    Returns:
        (1, D, *side), voxels of the case.
    """
    at = similar.inverse().voxels(case.grid, frame.grid).to(u)
    linear = torch.from_numpy(similar.linear).to(u) * (frame.mm / case.mm)
    return torch.einsum("ij,bj...->bi...", linear, sample(u, at))


def overlaps(first: Tensor, second: Tensor) -> list[float]:
    """Dice of each label of two maps of shares, (1, K, *side) each."""
    axes = tuple(range(2, first.dim()))
    both, whole = torch.minimum(first, second).sum(axes)[0], (first + second).sum(axes)[0]
    return [float(v) for v in 2 * both / whole]
