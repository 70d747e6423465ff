"""The layers of a result in a viewer: made once per source, then updated in place.

Only layers made here are changed; the user's are read and left alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image, Labels, Layer, Vectors

from napari_drdm.cases import shown
from napari_drdm.layers import placement
from napari_drdm.overlays import JACOBIAN_LIMITS, arrows, jacobian_colormap, lengths_mm

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_drdm.workers import Outcome

__all__ = ["ARROW_LIMIT_PERCENT", "KINDS", "ResultLayers", "arrow_limit_mm"]

#: What can be shown, from the bottom up.
KINDS = ("image", "labels", "Jacobian", "arrows")
#: Length of arrows at the end of their colour scale, % of the longest in-plane side.
ARROW_LIMIT_PERCENT = 10
_ARROWS_PER_PLANE = 700


@dataclass(eq=False)
class _Shown:
    """What stands in the viewer for one source."""

    outcome: Outcome
    layers: dict[str, Layer]
    plane: tuple[Any, ...] | None = None


class ResultLayers:
    """The layers of the latest result of every source.

    Args:
        viewer: they are added to.
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self._shown: dict[Layer, _Shown] = {}

    def owns(self, layer: Layer) -> bool:
        """Whether a layer was made here."""
        return any(layer in entry.layers.values() for entry in self._shown.values())

    def layers(self, source: Layer) -> dict[str, Layer]:
        """The layers of a source by kind."""
        return dict(self._shown[source].layers) if source in self._shown else {}

    def outcome(self, source: Layer | None) -> Outcome | None:
        """The latest result of a source."""
        entry = self._shown.get(source) if source is not None else None
        return entry.outcome if entry else None

    def show(self, outcome: Outcome, kinds: set[str]) -> None:
        """Bring a source's layers up to date; those not ticked are hidden and not computed."""
        source = outcome.request.source
        if source not in self._viewer.layers:
            return
        before = self._shown.get(source)
        entry = _Shown(outcome, before.layers if before else {})
        self._shown[source] = entry
        for kind in KINDS:
            if kind in kinds and (kind != "labels" or outcome.result.case.labels):
                self._put(entry, kind)
            elif self._alive(entry, kind):
                entry.layers[kind].visible = False

    def tick(self, source: Layer | None, kinds: set[str]) -> None:
        """Show other kinds of the latest result of a source."""
        outcome = self.outcome(source)
        if outcome is not None:
            self.show(outcome, kinds)

    def follow(self) -> None:
        """Move the arrows to the plane that the viewer shows now."""
        for entry in self._shown.values():
            alive = self._alive(entry, "arrows") and entry.layers["arrows"].visible
            if alive and self._plane(entry) != entry.plane:
                self._put(entry, "arrows")

    def _alive(self, entry: _Shown, kind: str) -> bool:
        return kind in entry.layers and entry.layers[kind] in self._viewer.layers

    def _put(self, entry: _Shown, kind: str) -> None:
        if kind == "arrows":
            self._put_arrows(entry)
            return
        data = self._data(entry, kind)
        layer = entry.layers.get(kind)
        if self._alive(entry, kind) and layer is not None and layer.data.shape == data.shape:
            layer.data = data
            layer.visible = True
            return
        if self._alive(entry, kind):
            self._viewer.layers.remove(layer)
        self._add(entry, kind, self._new(entry, kind, data))

    def _data(self, entry: _Shown, kind: str) -> np.ndarray:
        result, back = entry.outcome.result, entry.outcome.layer_case.back
        if kind == "Jacobian":
            return back(result.jacobian)
        if kind == "image":
            return back(shown(result.case.images[0]))
        labels = back(result.case.labels[0].data)
        return labels.astype(entry.outcome.request.labels.data.dtype, copy=False)

    def _new(self, entry: _Shown, kind: str, data: np.ndarray) -> Layer:
        source, own = entry.outcome.request.source, entry.outcome.request.labels
        if kind == "image":
            return Image(
                data,
                colormap=source.colormap,
                contrast_limits=source.contrast_limits,
                gamma=source.gamma,
                interpolation2d=source.interpolation2d,
                **self._common(entry, kind, data.ndim),
            )
        if kind == "labels":
            return Labels(
                data,
                colormap=own.colormap,
                opacity=own.opacity,
                **self._common(entry, kind, data.ndim),
            )
        return Image(
            data,
            colormap=jacobian_colormap(),
            contrast_limits=JACOBIAN_LIMITS,
            blending="translucent",
            opacity=0.8,
            **self._common(entry, kind, data.ndim),
        )

    def _common(self, entry: _Shown, kind: str, ndim: int) -> dict[str, Any]:
        source = entry.outcome.request.source
        drdm = {**source.metadata.get("drdm", {}), "output": kind}
        drdm.pop("path", None)
        return {
            "name": f"{source.name} | drdm {kind}",
            "metadata": {**source.metadata, "drdm": drdm},
            **placement(source, ndim),
        }

    def _add(self, entry: _Shown, kind: str, layer: Layer) -> None:
        chosen = set(self._viewer.layers.selection)
        active = self._viewer.layers.selection.active
        above = [
            self._viewer.layers.index(entry.layers[other])
            for other in KINDS[KINDS.index(kind) + 1 :]
            if self._alive(entry, other)
        ]
        entry.layers[kind] = layer
        self._viewer.layers.insert(min(above, default=len(self._viewer.layers)), layer)
        self._viewer.layers.selection = chosen
        self._viewer.layers.selection.active = active

    def _put_arrows(self, entry: _Shown) -> None:
        field, lengths, spacing = self._field(entry)
        plane = self._plane(entry)
        vectors, mm = arrows(field, lengths, spacing, dict(plane), _ARROWS_PER_PLANE)
        entry.plane = plane
        if self._alive(entry, "arrows"):
            layer = entry.layers["arrows"]
            layer.data = vectors
            layer.features = {"mm": mm}
            layer.visible = True
            return
        layer = Vectors(
            vectors,
            features={"mm": mm},
            edge_color="mm",
            edge_colormap="turbo",
            edge_contrast_limits=(0, arrow_limit_mm(entry.outcome)),
            vector_style="arrow",
            edge_width=1.5,
            opacity=0.9,
            **self._common(entry, "arrows", field.shape[-1]),
        )
        self._add(entry, "arrows", layer)

    def _field(self, entry: _Shown) -> tuple[np.ndarray, np.ndarray, tuple[float, ...]]:
        layer_case, result = entry.outcome.layer_case, entry.outcome.result
        field = layer_case.field(result.displacement)
        lengths = layer_case.back(lengths_mm(result.displacement))
        return field, lengths, layer_case.case.grid.spacing[: field.shape[-1]][::-1]

    def _plane(self, entry: _Shown) -> tuple[tuple[int, int], ...]:
        """(axis, index) of the source's spatial axes that the viewer does not display."""
        source, dims = entry.outcome.request.source, self._viewer.dims
        ndim = 2 if entry.outcome.layer_case.plane else 3
        at = source.world_to_data(dims.point[-source.ndim :])
        first = source.ndim - ndim
        hidden = [a - (dims.ndim - ndim) for a in dims.not_displayed]
        return tuple((a, round(float(at[first + a]))) for a in hidden if a >= 0)


def arrow_limit_mm(outcome: Outcome) -> float:
    """Length of arrows at the end of their colour scale, the same for all results of a source."""
    grid = outcome.layer_case.case.grid
    sides = [n * s for n, s in zip(grid.shape, grid.spacing, strict=True)]
    del sides[grid.slice_axis]
    return max(sides) * ARROW_LIMIT_PERCENT / 100
