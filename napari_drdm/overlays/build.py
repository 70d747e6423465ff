"""The layers that show a moment: made by the table of overlays, and brought up to date in place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari.layers import Layer

from napari_drdm.layers.derived import derived_metadata
from napari_drdm.layers.geometry import placement
from napari_drdm.overlays.kinds import KINDS, kind_of
from napari_drdm.overlays.overlay import LayerContent, Overlay, available, source_layers

if TYPE_CHECKING:
    from napari_drdm.overlays.style import DrawingStyle
    from napari_drdm.overlays.view import View
    from napari_drdm.runs.moments import Moment

__all__ = ["finish_layer", "height", "keys_of", "new_layer", "unchanged", "update_layer"]


def keys_of(kind: str, moment: Moment) -> list[str]:
    """The layers of a kind: its name, then with a number for the second and further ones."""
    count = available(KINDS[kind], moment)
    return [kind if i == 0 else f"{kind} {i + 1}" for i in range(count)]


def height(key: str) -> tuple[int, int]:
    """Sorts keys from the bottom up."""
    return list(KINDS).index(kind_of(key).name), _index(key)


def new_layer(key: str, moment: Moment, view: View, style: DrawingStyle) -> Layer:
    """A layer of a kind, as its source looks and lies."""
    kind, index = kind_of(key), _index(key)
    content = kind.build(moment, index, view, style)
    settings = {**content.fixed, **content.varying}
    ndim = settings.get("ndim", content.data.ndim)
    layer = kind.layer(content.data, **settings, **_common(kind, index, moment, ndim))
    return _with_metadata(layer, content)


def update_layer(key: str, layer: Layer, moment: Moment, view: View, style: DrawingStyle) -> bool:
    """Give a layer new data; False where a new layer is needed instead."""
    kind = kind_of(key)
    content = kind.build(moment, _index(key), view, style)
    return kind.update(_with_metadata(layer, content), content, moment)


def finish_layer(layer: Layer) -> None:
    """Renew what a drag leaves out: the thumbnail in the layer list."""
    layer.refresh(data_displayed=False, highlight=False, extent=False)


def unchanged(key: str, before: Moment, moment: Moment, view: View, style: DrawingStyle) -> bool:
    """Whether a layer shows the very same memory for both moments: nothing has to be drawn."""
    kind, index = kind_of(key), _index(key)
    if not kind.shares_memory or moment.part or before.part:
        return False
    data = (kind.build(one, index, view, style).data for one in (before, moment))
    one, other = (values.__array_interface__ for values in data)
    return all(one[k] == other[k] for k in ("data", "shape", "strides", "typestr"))


def _with_metadata(layer: Layer, content: LayerContent) -> Layer:
    layer.metadata["drdm"].update(content.metadata)
    return layer


def _index(key: str) -> int:
    """Which layer of its kind a key means, from 0."""
    return int(key.partition(" ")[2] or 1) - 1


def _common(kind: Overlay, index: int, moment: Moment, ndim: int) -> dict[str, Any]:
    source = moment.request.source
    named = source_layers(kind, moment)[index] if index else source
    return {
        "name": f"{named.name} | drdm {kind.name}",
        "metadata": derived_metadata(source, kind.name),
        **placement(source, ndim),
    }
