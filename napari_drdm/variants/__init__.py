"""Results side by side: their history, pinned layers, A/B, differences and nine seeds at once."""

from __future__ import annotations

from napari_drdm.variants.controller import Variants
from napari_drdm.variants.distribution import Distribution
from napari_drdm.variants.history import History, RunInputs, Variant

__all__ = ["Distribution", "History", "RunInputs", "Variant", "Variants"]
