"""Dock widgets, and the leaf widgets they are made of, which know no viewer."""

from __future__ import annotations

from napari_drdm.widgets.explorer import DeformationExplorer

__all__ = ["DeformationExplorer"]
