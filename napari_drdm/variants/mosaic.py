"""Tiles of one shape as one array: put together where it is read, nothing is copied before."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Decoration", "Mosaic"]

#: Draws on a tile as it is seen, (rows, columns): its place, and whether it waits.
Decoration = Callable[[NDArray[Any], int, bool], None]


class Mosaic:
    """Nine arrays in three rows of three along two of their axes; those that wait have one value.

    napari reads it as any array: ``shape``, ``dtype`` and an index.

    Args:
        shape: of each tile.
        dtype: of the whole.
        axes: those that are rows and columns on view, negative numbers.
        gaps: voxels between two tiles, in rows and columns.
        empty: value of tiles that wait.
        between: value between tiles.
        flips: whether rows and columns run backwards on view.
        decorate: draws on each tile where rows and columns of one slice are read, and on every
            slice of tiles that wait.
    """

    SIDE = 3

    def __init__(
        self,
        shape: tuple[int, ...],
        dtype: np.dtype[Any],
        axes: tuple[int, int] = (-2, -1),
        gaps: tuple[int, int] = (0, 0),
        empty: float = 0,
        between: float = 0,
        flips: tuple[bool, bool] = (False, False),
        decorate: Decoration | None = None,
    ) -> None:
        self.tile_shape, self.dtype, self.ndim = shape, dtype, len(shape)
        self.tiles: dict[int, NDArray[Any]] = {}
        self._empty, self._between, self._decorate = empty, between, decorate
        self._gaps, self._flips = gaps, flips
        self._axes = [self.ndim + axis for axis in axes]
        whole = list(shape)
        for axis, gap in zip(self._axes, gaps, strict=True):
            whole[axis] = self.SIDE * shape[axis] + (self.SIDE - 1) * gap
        self.shape = tuple(whole)

    @property
    def size(self) -> int:
        """Number of voxels."""
        return int(np.prod(self.shape))

    def corner(self, place: int) -> tuple[int, int]:
        """First row and column of a tile."""
        cells = [
            self.SIDE - 1 - at if back else at
            for at, back in zip(divmod(place, self.SIDE), self._flips, strict=True)
        ]
        lengths = (self.tile_shape[axis] for axis in self._axes)
        row, column = (
            at * (length + gap) for at, length, gap in zip(cells, lengths, self._gaps, strict=True)
        )
        return row, column

    def __len__(self) -> int:
        return self.shape[0]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        """All voxels, with nothing drawn on them."""
        everything = (slice(None),) * self.ndim
        return np.asarray(self._assembled(everything, None), dtype)

    def __getitem__(self, key: Any) -> NDArray[Any]:
        index = self._complete(key)
        fixed = {axis for axis, at in enumerate(index) if not isinstance(at, slice)}
        across = [slice(None) if axis in self._axes else at for axis, at in enumerate(index)]
        whole = self._assembled(tuple(across), self._decorate)
        kept = [axis for axis in range(self.ndim) if axis in self._axes or axis not in fixed]
        chosen = tuple(index[axis] if axis in self._axes else slice(None) for axis in kept)
        return np.asarray(whole[chosen])

    def _assembled(self, across: tuple[Any, ...], decorate: Decoration | None) -> NDArray[Any]:
        """All rows and columns, at an index of the other axes."""
        whole = np.full(self._shape_at(across), self._between, self.dtype)
        kept = [axis for axis, at in enumerate(across) if isinstance(at, slice)]
        where = [kept.index(axis) for axis in self._axes]
        for place in range(self.SIDE**2):
            cut = [slice(None)] * whole.ndim
            for axis, own, first in zip(where, self._axes, self.corner(place), strict=True):
                cut[axis] = slice(first, first + self.tile_shape[own])
            part, tile = whole[tuple(cut)], self.tiles.get(place)
            part[...] = self._empty if tile is None else tile[across]
            seen = np.moveaxis(part, where, (-2, -1))
            if decorate is not None and (tile is None or set(seen.shape[:-2]) <= {1}):
                for at in np.ndindex(seen.shape[:-2]):  # a tile that waits is named in 3D too
                    decorate(seen[at], place, tile is None)
        return whole

    def _shape_at(self, across: tuple[Any, ...]) -> tuple[int, ...]:
        lengths = zip(across, self.shape, strict=True)
        return tuple(len(range(*at.indices(n))) for at, n in lengths if isinstance(at, slice))

    def _complete(self, key: Any) -> list[Any]:
        """An index for every axis: whole numbers and slices."""
        given = list(key) if isinstance(key, tuple) else [key]
        if Ellipsis in given:
            at = given.index(Ellipsis)
            missing = self.ndim - (len(given) - 1)
            given[at : at + 1] = [slice(None)] * missing
        given += [slice(None)] * (self.ndim - len(given))
        return [one if isinstance(one, slice) else int(one) for one in given]
