"""What a deformation did to labels: volumes, folds, labels lost and labels split."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from src_core.cases.case import Case
from src_core.cases.tiles import parts, tile_axis
from src_core.fields.planes import along_axis

__all__ = ["label_metrics"]

# Components smaller than this many voxels are ragged edges, not parts of a label.
_SPECK = 8


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
    values = _values(before)
    names = [int(v) for v in values.tolist()]
    old, new, folded = _counts(before, after, jacobian, values)
    frames = after.shape[3] if after.ndim == 4 else 1
    ml = abs(float(np.linalg.det(source.grid.affine[:3, :3]))) / 1000 / frames
    found = list(zip(names, old, new, folded, strict=True))
    more = [a > b for a, b in zip(*(_pieces(m, values) for m in (after, before)), strict=True)]
    return {
        "label_volume_change": {str(v): 100 * (n / o - 1) for v, o, n, _ in found},
        "label_volume_ml": {str(v): [o * ml, n * ml] for v, o, n, _ in found},
        "label_folding_permille": {str(v): 1000 * f / max(n, 1) for v, _, n, f in found},
        "labels_lost": [v for v, _, n, _ in found if n == 0],
        "labels_split": [v for v, split in zip(names, more, strict=True) if split],
    }


def _values(labels: NDArray[Any]) -> NDArray[Any]:
    """Labels other than 0, sorted."""
    along = tile_axis(labels.shape[:3], None)
    some = [np.unique(labels[along_axis(along, p)]) for p in parts(labels.shape[:3], along)]
    values = np.unique(np.concatenate(some))
    return values[values != 0]


def _counts(
    before: NDArray[Any], after: NDArray[Any], jacobian: NDArray[np.float32], values: NDArray[Any]
) -> list[list[int]]:
    """Voxels of every label before and after, and those after that fold."""
    counts = np.zeros((3, len(values) + 1), np.int64)
    along = tile_axis(before.shape[:3], None)
    for part in parts(before.shape[:3], along):
        index = along_axis(along, part)
        new = _codes(after[index], values)
        folds = new[jacobian[index] <= 0]
        for count, codes in zip(counts, (_codes(before[index], values), new, folds), strict=True):
            count += np.bincount(codes.ravel(), minlength=len(count))
    tallies: list[list[int]] = counts[:, 1:].tolist()
    return tallies


def _codes(labels: NDArray[Any], values: NDArray[Any]) -> NDArray[Any]:
    """Each label's number among sorted values, counted from 1; 0 for others."""
    kind = np.uint16 if len(values) < 1 << 16 else np.int32
    if labels.dtype.kind in "iu" and labels.dtype.itemsize <= 2:
        table = np.zeros(1 << 16, kind)
        table[values.astype(np.uint16)] = np.arange(1, len(values) + 1)
        return np.asarray(table[labels.astype(np.uint16)])
    if not len(values):
        return np.zeros(labels.shape, kind)
    place = np.searchsorted(values, labels).clip(max=len(values) - 1)
    return np.where(values[place] == labels, place + 1, 0).astype(kind)


def _pieces(labels: NDArray[Any], values: NDArray[Any]) -> list[int]:
    """How many parts each label has in the first frame."""
    first = labels[..., 0] if labels.ndim == 4 else labels
    codes = np.zeros(first.shape, _codes(first[:1], values).dtype)
    along = tile_axis(first.shape, None)
    for part in parts(first.shape, along):
        index = along_axis(along, part)
        codes[index] = _codes(first[index], values)
    boxes = ndimage.find_objects(codes, len(values)) if len(values) else []
    return [0 if b is None else _parts(codes[b] == i) for i, b in enumerate(boxes, start=1)]


def _parts(mask: NDArray[np.bool_]) -> int:
    """Connected components (faces and edges touch) of (X, Y, Z), specks left aside."""
    box = tuple(_extent(np.asarray(mask.any(axis=tuple({0, 1, 2} - {axis})))) for axis in range(3))
    found, count = ndimage.label(mask[box], structure=ndimage.generate_binary_structure(3, 2))
    sizes = sum(np.bincount(layer.ravel(), minlength=count + 1) for layer in found)
    return int((np.atleast_1d(sizes)[1:] >= _SPECK).sum())


def _extent(there: NDArray[np.bool_]) -> slice:
    """The shortest range of an axis that holds everything."""
    places = np.flatnonzero(there)
    return slice(places[0], places[-1] + 1) if len(places) else slice(0, 0)
