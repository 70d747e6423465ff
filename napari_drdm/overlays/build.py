"""The layers that show a look: how each kind is made, and brought up to date in place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image, Labels, Layer, Vectors
from numpy.typing import NDArray

from napari_drdm.layers.snapshots import placement
from napari_drdm.overlays.arrows import arrows
from napari_drdm.overlays.colours import (
    JACOBIAN_LIMITS,
    jacobian_colormap,
    limit_mm,
    magnitude_colormap,
)
from napari_drdm.overlays.contours import contours
from napari_drdm.overlays.grid import grid_lines
from napari_drdm.overlays.lines import Lines, Style
from napari_drdm.overlays.moved import Moved
from napari_drdm.overlays.rim import keep_rim_true
from napari_drdm.overlays.scratch import renew
from napari_drdm.overlays.view import View

if TYPE_CHECKING:
    from napari_drdm.runs.moments import Look

__all__ = [
    "DRAWN",
    "FIELDS",
    "FLAT",
    "KINDS",
    "finish_layer",
    "keys_of",
    "new_layer",
    "spatial_axes",
    "unchanged",
    "update_layer",
]

#: What can be shown, from the bottom up.
KINDS = ("image", "labels", "magnitude", "Jacobian", "contours", "grid", "arrows")
#: Kinds that are drawn for what is on view, and again when that changes.
DRAWN = ("contours", "grid", "arrows")
#: Kinds that need the displacement.
FIELDS = ("magnitude", "Jacobian", "grid", "arrows")
#: Kinds with spatial axes only.
FLAT = ("magnitude", "Jacobian", *DRAWN)

# In 3D a volume's front would hide what lies inside it.
_BLENDING = "translucent_no_depth"
_GRID_COLOUR = "#ffd24a"


def keys_of(kind: str, look: Look) -> list[str]:
    """The layers of a kind: its name, then with a number for the second and further ones."""
    counts = {
        "image": len(look.images),
        "labels": len(look.labels),
        "contours": bool(look.layer_case.case.labels),
        "Jacobian": look.jacobian is not None,
    }
    count = int(counts.get(kind, look.displacement is not None))
    return [kind if i == 0 else f"{kind} {i + 1}" for i in range(count)]


def spatial_axes(look: Look) -> int:
    """How many of the layer's axes are spatial."""
    return 2 if look.layer_case.plane else 3


def origins(kind: str, look: Look) -> list[Layer]:
    """The user's image or labels layers that went in, in the order of the case."""
    request = look.request
    wanted = Labels if kind == "labels" else Image
    first = request.labels if kind == "labels" else request.source
    return [layer for layer in (first, *request.extras) if isinstance(layer, wanted)]


def new_layer(key: str, look: Look, view: View, style: Style) -> Layer:
    """A layer of a kind, as its source looks and lies."""
    kind = key.split()[0]
    if kind in DRAWN:
        return _with_field(_new_vectors(kind, look, _lines(kind, look, view, style)), look)
    data = _volume(key, look)
    return _MAKERS[kind](key, look, data, _common(key, look, data.ndim))


def update_layer(key: str, layer: Layer, look: Look, view: View, style: Style) -> bool:
    """Give a layer new data; False where it needs a new layer instead."""
    kind = key.split()[0]
    if kind in DRAWN:
        return _update_vectors(_with_field(layer, look), _lines(kind, look, view, style))
    data = _volume(key, look)
    if layer.data.shape != data.shape:
        return False
    if look.outcome is None and kind in ("image", "labels"):
        renew(layer, data, look)
    else:
        layer.data = data.copy() if kind == "labels" else data
    return True


def finish_layer(layer: Layer) -> None:
    """What a drag left out: the small picture in the layer list."""
    layer.refresh(data_displayed=False, highlight=False, extent=False)


def unchanged(key: str, before: Look, look: Look) -> bool:
    """Whether a layer shows the very same memory for both looks: nothing has to be drawn."""
    if key.split()[0] not in ("image", "labels", "Jacobian") or look.part or before.part:
        return False
    one, other = (_volume(key, x).__array_interface__ for x in (before, look))
    return all(one[k] == other[k] for k in ("data", "shape", "strides", "typestr"))


def _with_field(layer: Vectors, look: Look) -> Vectors:
    """Arrows carry the whole field along, for the layer commands and for saving."""
    drdm = layer.metadata["drdm"]
    if drdm["output"] == "arrows":
        drdm |= {"field": look.displacement, "affine": look.layer_case.case.grid.affine}
    return layer


def _volume(key: str, look: Look) -> NDArray[Any]:
    kind, index = _place(key)
    if kind == "image":
        return look.images[index]
    if kind == "labels":
        own = origins("labels", look)[index].data.dtype
        return look.labels[index].astype(own, copy=False)
    if kind == "Jacobian":
        return look.layer_case.back(look.jacobian)
    u = look.displacement
    return look.layer_case.back(np.sqrt(np.einsum("xyzi,xyzi->xyz", u, u)))


def _lines(kind: str, look: Look, view: View, style: Style) -> Lines:
    if kind == "contours":
        back, maps = look.layer_case.back, look.layer_case.case.labels
        pairs = zip(maps, origins("labels", look), strict=False)
        grid, n = look.layer_case.case.grid, spatial_axes(look)
        coloured = [(back(labels.data), own.colormap.map) for labels, own in pairs]
        return contours(coloured, grid.spacing[:n][::-1], view)
    draw = arrows if kind == "arrows" else grid_lines
    return draw(Moved(look.layer_case, look.displacement), view, style)


def _new_image(key: str, look: Look, data: NDArray[Any], common: dict[str, Any]) -> Image:
    own = origins("image", look)[_place(key)[1]]
    return Image(
        data,
        colormap=own.colormap,
        contrast_limits=own.contrast_limits,
        gamma=own.gamma,
        interpolation2d=own.interpolation2d,
        rendering=own.rendering,
        **common,
    )


def _new_labels(key: str, look: Look, data: NDArray[Any], common: dict[str, Any]) -> Labels:
    own = origins("labels", look)[_place(key)[1]]
    return Labels(data.copy(), colormap=own.colormap, opacity=own.opacity, **common)


def _new_map(key: str, look: Look, data: NDArray[Any], common: dict[str, Any]) -> Image:
    jacobian = key == "Jacobian"
    limits = JACOBIAN_LIMITS if jacobian else (0.0, limit_mm(look.layer_case.case.grid))
    layer = Image(
        data,
        colormap=jacobian_colormap() if jacobian else magnitude_colormap(),
        contrast_limits=limits,
        blending=_BLENDING,
        rendering="translucent",
        opacity=0.8,
        **common,
    )
    return keep_rim_true(layer) if jacobian else layer


_MAKERS = {
    "image": _new_image,
    "labels": _new_labels,
    "magnitude": _new_map,
    "Jacobian": _new_map,
}


def _new_vectors(kind: str, look: Look, lines: Lines) -> Vectors:
    coloured: dict[str, Any] = {"edge_color": _GRID_COLOUR}
    if lines.mm is not None:
        coloured = {
            "features": {"mm": lines.mm},
            "edge_color": "mm",
            "edge_colormap": "turbo",
            "edge_contrast_limits": (0, limit_mm(look.layer_case.case.grid)),
        }
    elif lines.colours is not None and len(lines.colours):
        coloured = {"edge_color": lines.colours}
    n = lines.segments.shape[-1]
    return Vectors(
        lines.segments,
        ndim=n,
        vector_style="arrow" if kind == "arrows" else "line",
        edge_width=lines.width,
        blending=_BLENDING,
        opacity=0.9,
        **coloured,
        **_common(kind, look, n),
    )


def _update_vectors(layer: Layer, lines: Lines) -> bool:
    if layer.ndim != lines.segments.shape[-1]:
        return False
    layer.data = lines.segments
    if lines.mm is not None:
        layer.features = {"mm": lines.mm}
    elif lines.colours is not None and len(lines.colours):
        layer.edge_color = lines.colours
    if layer.edge_width != lines.width:
        layer.edge_width = lines.width
    return True


def _place(key: str) -> tuple[str, int]:
    """The kind of a key, and which of its kind."""
    kind, _, number = key.partition(" ")
    return kind, int(number or 1) - 1


def _common(key: str, look: Look, ndim: int) -> dict[str, Any]:
    kind, index = _place(key)
    source = look.request.source
    named = origins(kind, look)[index] if index else source
    drdm = {**source.metadata.get("drdm", {}), "output": kind}
    drdm.pop("path", None)
    return {
        "name": f"{named.name} | drdm {kind}",
        "metadata": {**source.metadata, "drdm": drdm},
        **placement(source, ndim),
    }
