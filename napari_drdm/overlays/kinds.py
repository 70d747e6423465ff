"""Every overlay, one row each: the one place where the Show panel and the layers learn of it.

To add one, write a builder (as ``grid_content`` in ``grid.py``) and add its row here.
"""

from __future__ import annotations

from napari.layers import Image, Vectors

from napari_drdm.overlays.arrows import arrows_content
from napari_drdm.overlays.contours import contours_content
from napari_drdm.overlays.grid import grid_content
from napari_drdm.overlays.overlay import Overlay
from napari_drdm.overlays.volumes import (
    image_content,
    jacobian_content,
    jacobian_layer,
    labels_content,
    labels_layer,
    magnitude_content,
    set_labels,
    set_volume,
)
from src_core.fields.jacobian_words import DET_CONVENTION

__all__ = ["KINDS", "field_needed", "kind_of"]

_ROWS = (
    Overlay(
        "image",
        "warped image",
        "The new image",
        ("images",),
        image_content,
        Image,
        set_volume,
        place=(0, 0),
        ticked=True,
        spatial=False,
        shares_memory=True,
    ),
    Overlay(
        "labels",
        "labels",
        "The labels, carried along",
        ("labels",),
        labels_content,
        labels_layer,
        set_labels,
        place=(0, 1),
        ticked=True,
        spatial=False,
        shares_memory=True,
    ),
    Overlay(
        "magnitude",
        "displacement",
        "How far each place was moved",
        ("displacement",),
        magnitude_content,
        Image,
        place=(1, 1),
        legend="displacement: 0 clear, {limit} yellow",
    ),
    Overlay(
        "Jacobian",
        "Jacobian",
        f"Determinant: {DET_CONVENTION}. Blue grew, orange shrank, magenta is a fold",
        ("jacobian",),
        jacobian_content,
        jacobian_layer,
        place=(1, 0),
        legend="det J below 1: tissue grew, 1/4 or less blue; above 1: it shrank, 4 or more "
        "orange; folds magenta",
        shares_memory=True,
    ),
    Overlay(
        "contours",
        "contours",
        "Outlines of the labels as they were in the source",
        ("source labels",),
        contours_content,
        Vectors,
        place=(0, 2),
        follows_view=True,
    ),
    Overlay(
        "grid",
        "grid",
        "Lines that were straight in the source; they move with the tissue",
        ("displacement",),
        grid_content,
        Vectors,
        place=(1, 2),
        controls=("lines",),
        follows_view=True,
    ),
    Overlay(
        "arrows",
        "arrows",
        "Each place in the new image and where its tissue came from",
        ("displacement",),
        arrows_content,
        Vectors,
        place=(2, 0),
        controls=("arrows", "scale", "goes"),
        legend="arrows: 0 blue, {limit} red",
        follows_view=True,
    ),
)

#: By name, from the bottom up as the layers lie.
KINDS: dict[str, Overlay] = {row.name: row for row in _ROWS}


def kind_of(key: str) -> Overlay:
    """The overlay of a layer's key: its name, with a number from the second layer on."""
    return KINDS[key.split()[0]]


def field_needed(names: set[str]) -> bool:
    """Whether any of some overlays needs the displacement."""
    return any(KINDS[name].needs_field for name in names)
