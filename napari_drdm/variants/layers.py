"""Layers of variants: pictures of results, differences, and a list of what was added here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image, Labels, Layer
from numpy.typing import NDArray

from napari_drdm.layers.derived import derived_metadata, look_of
from napari_drdm.layers.geometry import placement

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.utils import Colormap

    from napari_drdm.runs.requests import RunOutcome

__all__ = [
    "OwnLayers",
    "brightness",
    "child_name",
    "difference",
    "difference_layer",
    "label_layer",
    "label_values",
    "metadata_of",
    "passing_name",
    "picture_layer",
    "values",
]

_DARKER, _BRIGHTER = (0.25, 0.60, 1.0), (1.0, 0.55, 0.10)


class OwnLayers:
    """Layers added here and not yet gone; the user's selection stays as it is.

    Args:
        viewer: they are added to.
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self._layers: list[Layer] = []

    def __contains__(self, layer: Layer) -> bool:
        return any(layer is own for own in self._layers)

    def add(self, layer: Layer, above: Layer | None = None) -> None:
        """Add a layer on top, or just above another."""
        layers = self._viewer.layers
        place = layers.index(above) + 1 if above in layers else len(layers)
        self._layers.append(layer)
        with self._same_selection():
            layers.insert(place, layer)

    def drop(self, layer: Layer) -> None:
        """Remove a layer of these, if it is there still."""
        self.forget(layer)
        if layer in self._viewer.layers:
            with self._same_selection():
                self._viewer.layers.remove(layer)

    def forget(self, layer: Layer) -> None:
        """A layer was removed."""
        self._layers = [own for own in self._layers if own is not layer]

    @contextmanager
    def _same_selection(self) -> Iterator[None]:
        selection = self._viewer.layers.selection
        chosen, active = set(selection), selection.active
        yield
        there = {layer for layer in chosen if layer in self._viewer.layers}
        self._viewer.layers.selection = there
        self._viewer.layers.selection.active = active if active in there else None


def values(outcome: RunOutcome) -> NDArray[Any]:
    """The new image as a layer shows it, in the layer's order."""
    return outcome.layer_case.layer_images(outcome.result.case.images)[0]


def brightness(outcome: RunOutcome) -> NDArray[Any]:
    """The new image in the layer's order; of one in colour, the mean of its colours."""
    shown = values(outcome)
    return shown[..., :3].mean(axis=-1) if outcome.layer_case.colours else shown


def label_values(outcome: RunOutcome) -> NDArray[Any] | None:
    """The new labels in the layer's order, None without."""
    labels = outcome.result.case.labels
    return outcome.layer_case.back(labels[0].data) if labels else None


def child_name(source: Layer, name: str) -> str:
    """Name of a permanent layer, after its source."""
    return f"{source.name} | drdm {name}"


def passing_name(name: str) -> str:
    """Name of a temporary layer: it is written on the canvas, so it is short."""
    return f"{name} | drdm"


def picture_layer(source: Image, data: NDArray[Any], name: str, output: str) -> Image:
    """A layer that lies where its source lies and looks as it looks."""
    return Image(
        data,
        name=name,
        metadata=metadata_of(source, output),
        **look_of(source),
        **placement(source, data.ndim),
    )


def label_layer(source: Labels, data: NDArray[Any], name: str, output: str) -> Labels:
    """Labels that lie where their source lies and look as it looks."""
    return Labels(
        data.astype(source.data.dtype, copy=False),
        name=name,
        colormap=source.colormap,
        opacity=source.opacity,
        metadata=metadata_of(source, output),
        **placement(source, data.ndim),
    )


def difference(before: NDArray[Any], after: NDArray[Any]) -> NDArray[np.float32]:
    """``after - before``; unsigned values do not wrap."""
    return np.subtract(after, before, dtype=np.float32)


def difference_layer(source: Image, data: NDArray[np.float32], name: str) -> Image:
    """Differences from minus to plus half of the source's contrast range, whatever they are."""
    low, high = source.contrast_limits
    reach = (high - low) / 2
    return Image(
        data,
        name=child_name(source, name),
        colormap=_diverging(),
        contrast_limits=(-reach, reach),
        metadata=metadata_of(source, "difference"),
        **placement(source, data.ndim),
    )


def metadata_of(source: Layer, output: str) -> dict[str, Any]:
    """What a layer made of a source says of itself."""
    return derived_metadata(source, output)


def _diverging() -> Colormap:
    """Blue where it became darker, black where nothing changed, orange where brighter."""
    from napari.utils import Colormap

    return Colormap(
        colors=[(*_DARKER, 1), (0, 0, 0, 1), (*_BRIGHTER, 1)],
        name="drdm difference",
        display_name="Difference (black is none)",
    )
