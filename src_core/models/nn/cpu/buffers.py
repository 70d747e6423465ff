"""Buffers for the images of a pass through a network, allocated once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

__all__ = ["Array", "Buffers", "borrowed"]

Array = NDArray[np.float32]

#: Buffers for tiles, floats, where one row of tiles needs no more: small enough for a core's cache.
_TILES = 20_000


class Buffers:
    """Images by name, with a rim of zeros, and working buffers.

    Attributes:
        rim: planes of zeros at both ends of the first axis: 1 in 3D, 0 in 2D.
        scratch, sums: working space of the group norm.
    """

    def __init__(self, ndim: int) -> None:
        self.rim = ndim - 2
        self.scratch = np.zeros(1 << 12, np.float32)
        self.sums = np.zeros(1 << 11)
        self._tiles = [np.zeros(0, np.float32)] * 2
        self._images: dict[tuple[str, int, int], Array] = {}

    def image(self, name: str, count: int, side: int, channels: int) -> Array:
        """``count`` images of a side in 2D, one of that side in 3D; only its rim is sure to be 0.

        Returns:
            (Z, H, W, C), each with its rim.
        """
        planes = side + 2 if self.rim else count
        key = (name, side, channels)
        if key not in self._images or len(self._images[key]) < planes:
            self._images[key] = np.zeros((planes, side + 2, side + 2, channels), np.float32)
        return self._images[key][:planes]

    def tiles(self, line: int, channels: int) -> list[Array]:
        """Buffers for a line of tiles or more, and four to spare, and for as many products."""
        size = 36 * channels * 4 + max(36 * channels * line, _TILES)
        if len(self._tiles[0]) < size:
            self._tiles = [np.zeros(size, np.float32) for _ in range(2)]
        return [one[:size] for one in self._tiles]


#: Buffers that no call uses at present, by the number of axes: at most as many as calls at once.
_idle: dict[int, list[Buffers]] = {2: [], 3: []}


@contextmanager
def borrowed(ndim: int) -> Iterator[Buffers]:
    """Buffers for one call of any network."""
    idle = _idle[ndim]
    try:
        buffers = idle.pop()
    except IndexError:
        buffers = Buffers(ndim)
    try:
        yield buffers
    finally:
        idle.append(buffers)
