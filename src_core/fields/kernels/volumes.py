"""Images and label maps warped together by a field in millimetres, in their stored types.

Cells and weights are found once for all of them, some voxels at a time, so that a volume of any
size needs little memory besides the results.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from src_core.fields.kernels.compiled import Kernel, ready
from src_core.fields.kernels.linear_loops import linear_3d, vote_3d
from src_core.fields.kernels.place_loops import place_field
from src_core.fields.kernels.tensors import readable
from src_core.fields.kernels.threads import in_parts

__all__ = ["Warped", "image_source", "label_source", "warp_sources"]

#: Voxels whose cells are kept at once: they fit into a core's cache.
_AT_ONCE = 1 << 13
#: Vectors of a field in another order of axes that are copied at once.
_COPIED = 1 << 24
_LARGEST_LABEL = (1 << 31) - 1


@dataclass(frozen=True, eq=False)
class Warped:
    """One volume to be warped, and where its voxels go.

    Attributes:
        frames: (T, n), its flat frames in a type that the loops take.
        out: (n, T), the result in the stored type, a view of the new volume.
        data: the new volume.
        outside: value of an image outside its grid.
        loop: linear values, or the vote of labels.
        is_image: which of the two.
    """

    frames: NDArray[Any]
    out: NDArray[Any]
    data: NDArray[Any]
    outside: float
    loop: Kernel[...]
    is_image: bool

    def take(self, part: slice, cells: tuple[NDArray[Any], ...], steps: tuple[int, ...]) -> None:
        """Write the voxels of a part."""
        whole = self.out.dtype.kind != "f"
        kind = (
            np.int32
            if not self.is_image
            else (np.float64 if self.frames.dtype == np.float64 else np.float32)
        )
        found = np.empty(part.stop - part.start, kind)
        for t, frame in enumerate(self.frames):
            if self.is_image:
                self.loop(frame, *cells, steps, self.outside, whole, found)
            else:
                self.loop(frame, *cells, steps, found)
            self.out[part, t] = found


def image_source(data: NDArray[Any], outside: float) -> Warped | None:
    """An image (X, Y, Z[, T]) to be sampled linearly; None where the loops cannot take it."""
    kind = data.dtype.name if data.dtype.name in linear_3d else "float64"
    if data.dtype.kind not in "iuf" or data.dtype.itemsize > 8 or not ready(linear_3d[kind]):
        return None
    if data.dtype.kind != "f":
        limits = np.iinfo(data.dtype)
        outside = min(max(outside, limits.min), limits.max)
    new = np.empty(data.shape, data.dtype)
    return Warped(_frames(data, kind), _flat(new), new, outside, linear_3d[kind], True)


def label_source(data: NDArray[Any]) -> Warped | None:
    """A label map (X, Y, Z[, T]); None where the loops cannot take it."""
    kind = data.dtype.name if data.dtype.name in vote_3d else "int32"
    if kind == "int32" and data.size and not _fits(data):
        return None
    if not ready(vote_3d[kind]):
        return None
    new = np.empty(data.shape, data.dtype)
    return Warped(_frames(data, kind), _flat(new), new, 0.0, vote_3d[kind], False)


def warp_sources(
    images: Sequence[Warped],
    labels: Sequence[Warped],
    field: NDArray[Any],
    to_voxels: NDArray[np.float64],
    still: int | None,
    nearest: bool,
) -> bool:
    """Warp volumes by a field on their grid; False, and nothing done, where the loops cannot.

    Args:
        images: sampled linearly.
        labels: the largest linear weight wins, or the nearest voxel.
        field: (X, Y, Z, 3), mm.
        to_voxels: (3, 3), voxels from mm.
        still: axis along which nothing moves.
        nearest: whether labels are those of the nearest voxel.
    """
    if field.dtype.name not in place_field or not ready(place_field[field.dtype.name]):
        return False
    place, shape = place_field[field.dtype.name], tuple(field.shape[:3])
    matrix = readable(np.ascontiguousarray(to_voxels))
    axis = -1 if still is None else still
    steps = tuple(
        0 if n == 1 or a == axis else math.prod(shape[a + 1 :]) for a, n in enumerate(shape)
    )
    groups = [(False, images), (True, labels)] if nearest else [(False, [*images, *labels])]

    def work(first: int, last: int) -> None:
        low, share = np.empty(_AT_ONCE, np.int64), np.empty((_AT_ONCE, 3))
        weight = np.empty(_AT_ONCE)
        for start in range(begin + first, begin + last, _AT_ONCE):
            part = slice(start, min(start + _AT_ONCE, begin + last))
            n = part.stop - start
            cells = low[:n], share[:n], weight[:n]
            for rounded, sources in groups:
                if sources:
                    moved = vectors[start - begin : start - begin + n]
                    place(moved, matrix, axis, shape, start, rounded, *cells)
                for one in sources:
                    one.take(part, cells, steps)

    plane = math.prod(shape[1:])
    planes = max(1, _COPIED // max(plane, 1))
    for x in range(0, shape[0], planes):
        slab = np.ascontiguousarray(field[x : x + planes])
        begin, vectors = x * plane, readable(slab).reshape(-1, 3)
        in_parts(work, len(vectors))
    return True


def _frames(data: NDArray[Any], kind: str) -> NDArray[Any]:
    whole = np.moveaxis(data, -1, 0) if data.ndim == 4 else data[None]
    return readable(np.ascontiguousarray(whole, np.dtype(kind))).reshape(len(whole), -1)


def _flat(data: NDArray[Any]) -> NDArray[Any]:
    return data.reshape(-1, data.shape[3] if data.ndim == 4 else 1)


def _fits(labels: NDArray[Any]) -> bool:
    small = labels.dtype.kind in "iub" and labels.dtype.itemsize <= 4 and labels.dtype != np.uint32
    return small or bool(np.abs(labels.astype(np.float64)).max() <= _LARGEST_LABEL)
