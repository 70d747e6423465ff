"""The numbers of ``metrics.json``: how far, how safe, and what it did to the labels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from src_core.case import Case
from src_core.deform import Field
from src_core.field_inverse import Backward
from src_core.field_measures import Measured, lengths
from src_core.generation.frame import Frame

__all__ = ["displacement_metrics", "label_metrics", "measure"]

# Components smaller than this many voxels are ragged edges, not parts of a label.
_SPECK = 8


def measure(
    frame: Frame,
    field: Field,
    found: Measured,
    backward: Backward,
    warped: Case,
    guard_scale: float,
) -> dict[str, Any]:
    """All metrics of a generated case but those that only repeat its options."""
    return {
        **displacement_metrics(field, longest_side(frame)),
        "folding_permille": found.folding_permille,
        "strict_folding_permille": found.proof.strict_folding_permille,
        "min_det": found.proof.min_det,
        "certified": found.proof.certified,
        "guard_scale": guard_scale,
        **backward.metrics,
        **label_metrics(frame.case, warped, found.jacobian),
    }


def longest_side(frame: Frame) -> float:
    """Longer in-plane side of a case (longest side in 3D), mm."""
    return max(n * s for n, s in zip(frame.fit.shape, frame.fit.spacing, strict=True))


def displacement_metrics(field: Field, side: float) -> dict[str, float]:
    """Largest and mean length of a field (X, Y, Z, 3) in mm, and in % of a side in mm."""
    largest, mean = lengths(field)
    return {
        "max_percent": 100 * largest / side,
        "mean_percent": 100 * mean / side,
        "max_mm": largest,
        "mean_mm": mean,
    }


def label_metrics(source: Case, warped: Case, jacobian: NDArray[np.float32]) -> dict[str, Any]:
    """What became of the labels, by their value.

    ``label_volume_change`` is in %, ``label_volume_ml`` before and after (mean over a cine's
    frames), ``label_folding_permille`` the share of a new label's voxels whose determinant (central
    differences) is not positive. Labels are lost, or split into more parts than before.
    """
    before, after = source.label_map, warped.label_map
    if before is None or after is None:
        return {
            "label_volume_change": {},
            "label_volume_ml": {},
            "label_folding_permille": {},
            "labels_lost": [],
            "labels_split": [],
        }
    values = [v for v in np.unique(before).tolist() if v]
    counts = {v: (int((before == v).sum()), int((after == v).sum())) for v in values}
    frames = after.shape[3] if after.ndim == 4 else 1
    ml = abs(float(np.linalg.det(source.grid.affine[:3, :3]))) / 1000 / frames
    folded = (jacobian <= 0)[(..., *[None] * (after.ndim - 3))]
    folds = {v: int(((after == v) & folded).sum()) for v in values}
    return {
        "label_volume_change": {
            str(int(v)): 100 * (new / old - 1) for v, (old, new) in counts.items()
        },
        "label_volume_ml": {str(int(v)): [old * ml, new * ml] for v, (old, new) in counts.items()},
        "label_folding_permille": {
            str(int(v)): 1000 * folds[v] / max(new, 1) for v, (_, new) in counts.items()
        },
        "labels_lost": [int(v) for v, (_, new) in counts.items() if new == 0],
        "labels_split": [int(v) for v in values if _parts(after == v) > _parts(before == v)],
    }


def _parts(mask: NDArray[np.bool_]) -> int:
    """Connected components (faces and edges touch) of the first frame, specks left aside."""
    first = mask[..., 0] if mask.ndim == 4 else mask
    box = tuple(_extent(np.asarray(first.any(axis=tuple({0, 1, 2} - {axis})))) for axis in range(3))
    found, count = ndimage.label(first[box], structure=ndimage.generate_binary_structure(3, 2))
    sizes = sum(np.bincount(layer.ravel(), minlength=count + 1) for layer in found)
    return int((np.atleast_1d(sizes)[1:] >= _SPECK).sum())


def _extent(there: NDArray[np.bool_]) -> slice:
    """The shortest range of an axis that holds everything."""
    places = np.flatnonzero(there)
    return slice(places[0], places[-1] + 1) if len(places) else slice(0, 0)
