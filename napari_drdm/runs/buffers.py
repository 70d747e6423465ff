"""Arrays as layers show them: two of each volume, one to draw from while the other is filled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_drdm.layers.cases import LayerCase, shown
from src_core.cases.volume import Volume

if TYPE_CHECKING:
    from src_core.inspection.part_view import Part

__all__ = ["DisplayBuffers"]


class DisplayBuffers:
    """Where parts of a case are put together; what was never filled shows the source.

    Args:
        layer_case: whose volumes are shown.
    """

    def __init__(self, layer_case: LayerCase) -> None:
        self._layer_case = layer_case
        case = layer_case.case
        self._volumes: tuple[Volume, ...] = (*case.images, *case.labels)
        self._images = len(case.images)
        self._pages: list[list[NDArray[Any]]] = []
        self._turn = 0

    def filled(
        self, part: Part, values: tuple[NDArray[Any], ...]
    ) -> tuple[tuple[NDArray[Any], ...], tuple[NDArray[Any], ...]]:
        """Images and labels in the layers' order, with a part of them renewed.

        Args:
            values: stored values of every volume's part, images first.
        """
        arrays = [shown(v.with_data(x)) for v, x in zip(self._volumes, values, strict=True)]
        if not part.whole:
            arrays = self._insert(part, arrays)
        placed = [self._layer_case.back(a) for a in arrays]
        images = self._layer_case.joined(placed[: self._images])
        return images, tuple(placed[self._images :])

    def _insert(self, part: Part, arrays: list[NDArray[Any]]) -> list[NDArray[Any]]:
        if not self._pages:
            self._pages = [[np.array(shown(v)) for v in self._volumes] for _ in range(2)]
        self._turn = 1 - self._turn
        page = self._pages[self._turn]
        for whole, new in zip(page, arrays, strict=True):
            whole[part.index(whole.ndim)] = new
        return page
