"""A displacement along the axes of its layer; only what is asked for is computed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from napari_drdm.layers.cases import LayerCase

__all__ = ["LayerField"]


class LayerField:
    """new(x) = source(x + u(x)), on the axes of a layer.

    Args:
        layer_case: whose layer it is.
        displacement: (X, Y, Z, 3), LPS mm.

    Attributes:
        shape: of the layer's spatial axes, (Z, Y, X) or (Y, X).
        spacing: mm along them.
    """

    def __init__(self, layer_case: LayerCase, displacement: NDArray[np.float32]) -> None:
        self._grid = layer_case.case.grid
        self._lps = np.moveaxis(layer_case.back(displacement), 0, -1)
        self.shape: tuple[int, ...] = self._lps.shape[:-1]
        self.spacing: tuple[float, ...] = self._grid.spacing[: len(self.shape)][::-1]

    def at(self, index: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """At voxels (any numpy index): u (..., n), voxels along the axes, and lengths (...), mm."""
        lps = self._lps[index]
        along = self._grid.to_voxels(lps)[..., : len(self.shape)][..., ::-1]
        return along, np.linalg.norm(lps.astype(np.float64), axis=-1)
