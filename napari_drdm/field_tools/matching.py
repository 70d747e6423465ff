"""Which image and field go together: those selected first, then those of one grid."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from napari.layers import Image, Layer, Vectors

from napari_drdm.layers.field_follower import grid_for, same_grid
from napari_drdm.layers.field_layers import DenseField, field_of

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from src_core.cases.grid import Grid

__all__ = ["grid_warning", "is_field", "is_image", "likely_pair"]


def is_field(layer: Layer) -> bool:
    """Whether a layer shows a displacement field."""
    return isinstance(layer, Vectors) and field_of(layer) is not None


def is_image(layer: Layer) -> bool:
    """Whether a layer is an image, of one channel or several."""
    return isinstance(layer, Image)


def likely_pair(viewer: ViewerModel) -> tuple[Image | None, Vectors | None]:
    """The image and the field that are likeliest meant; None where there is none at all.

    What is selected counts first, then a shared grid, then the order of the layers.
    """
    images = [layer for layer in viewer.layers if is_image(layer)]
    fields = [layer for layer in viewer.layers if is_field(layer)]
    chosen = viewer.layers.selection
    pairs = [(image, field) for image in images for field in fields]

    def unlikely(pair: tuple[Layer, Layer]) -> tuple[int, bool]:
        image, field = pair
        return -(image in chosen) - (field in chosen), not _on_one_grid(image, field)

    if pairs:
        return min(pairs, key=unlikely)
    return _first(images, chosen), _first(fields, chosen)


def grid_warning(image: Layer | None, field: DenseField | None) -> str:
    """How an image's grid differs from a field's, or nothing."""
    if image is None or field is None:
        return ""
    grid = grid_for(image, field)
    if grid is None:
        return (
            f"The field is on other voxels than {image.name}, {_words(field.grid)}, and where "
            "that lies in space is unknown: check the result."
        )
    if same_grid(grid, field.grid):
        return ""
    return (
        f"Grids differ: {image.name} {_words(grid)}, field {_words(field.grid)}. "
        "It is applied by position in mm."
    )


def _on_one_grid(image: Layer, field: Layer) -> bool:
    dense = field_of(field)
    return dense is not None and not grid_warning(image, dense)


def _first(layers: Iterable[Layer], chosen: Iterable[Layer]) -> Layer | None:
    known = list(layers)
    return next((layer for layer in known if layer in chosen), known[0] if known else None)


def _words(grid: Grid) -> str:
    shape, spacing = (" x ".join(f"{n:.3g}" for n in v) for v in (grid.shape, grid.spacing))
    return f"{shape} voxels of {spacing} mm"
