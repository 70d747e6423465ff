"""The layers of a result in a viewer: made once per source, then updated in place.

Only layers made here are changed; the user's are read and left alone. What the shown moment of a
run has no data for (a quick preview has no field) is hidden, never shown as it was before.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from napari.layers import Layer, Shapes

from napari_drdm.layers.geometry import placement
from napari_drdm.layers.viewer_state import viewer_state
from napari_drdm.overlays import DrawingStyle, View, limit_mm, view_of
from napari_drdm.overlays.build import (
    finish_layer,
    height,
    keys_of,
    new_layer,
    unchanged,
    update_layer,
)
from napari_drdm.overlays.kinds import KINDS, kind_of
from napari_drdm.runs.moments import Moment, moment_of_outcome

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_drdm.runs.requests import RunOutcome

__all__ = ["ResultLayers", "arrow_limit_mm"]


@dataclass(eq=False)
class _Shown:
    """What the viewer shows of one source."""

    moment: Moment
    kinds: set[str] = field(default_factory=set)
    style: DrawingStyle = field(default_factory=DrawingStyle)
    layers: dict[str, Layer] = field(default_factory=dict)
    outcome: RunOutcome | None = None
    views: dict[str, View] = field(default_factory=dict)
    out_of_view: set[str] = field(default_factory=set)
    hidden: set[str] = field(default_factory=set)
    drawn: dict[str, Moment] = field(default_factory=dict)


class ResultLayers:
    """The layers of what is shown of every source; a dock that is opened again has them still.

    Args:
        viewer: they are added to.
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self._shown: dict[Layer, _Shown] = viewer_state(viewer, "results", dict)
        for layer in self._all_layers():
            layer.events.visible.connect(self.follow)

    def close(self) -> None:
        """Leave the layers as they are; the steps of runs are no longer stored."""
        self._forget_removed_sources()
        for entry in self._shown.values():
            entry.moment = replace(entry.moment, trace=None)
        for layer in self._all_layers():
            layer.events.visible.disconnect(self.follow)

    def owns(self, layer: Layer) -> bool:
        """Whether a layer was made here."""
        return any(layer is own for own in self._all_layers())

    def layers(self, source: Layer) -> dict[str, Layer]:
        """The layers of a source by kind; a second image is ``image 2``."""
        return dict(self._shown[source].layers) if source in self._shown else {}

    def moment(self, source: Layer | None) -> Moment | None:
        """What is shown of a source now."""
        entry = self._shown.get(source) if source is not None else None
        return entry.moment if entry else None

    def outcome(self, source: Layer | None) -> RunOutcome | None:
        """The latest finished result of a source, whatever step is shown."""
        entry = self._shown.get(source) if source is not None else None
        return entry.outcome if entry else None

    def show(
        self, moment: Moment | RunOutcome, kinds: set[str], style: DrawingStyle | None = None
    ) -> None:
        """Bring a source's layers up to date; those not ticked are hidden and not computed."""
        if not isinstance(moment, Moment):
            moment = moment_of_outcome(moment)
        source = moment.request.source
        self._forget_removed_sources()
        if source not in self._viewer.layers:
            return
        entry = self._shown.setdefault(source, _Shown(moment))
        entry.moment, entry.kinds = moment, set(kinds)
        entry.style = style or entry.style
        entry.outcome = moment.outcome or entry.outcome
        self._forget_removed_layers(entry)
        entry.views.clear()
        entry.out_of_view.clear()
        view = self._view(entry)
        for kind in KINDS:
            keys = keys_of(kind, moment) if kind in kinds else []
            self._hide(entry, kind, but=keys)
            for key in keys:
                self._put(entry, key, view)

    def turn_to(self, source: Layer | None) -> None:
        """Show the results of one source alone, on top of what may have been added since."""
        for other, entry in self._shown.items():
            self._forget_removed_layers(entry)
            if other is not source:
                for key in entry.layers:
                    self._hide_layer(entry, key)
                continue
            for key in sorted(entry.layers, key=height):
                layer = entry.layers[key]
                self._viewer.layers.move(
                    self._viewer.layers.index(layer), _below_shapes(self._viewer)
                )
        moment = self.moment(source)
        if moment is not None:
            entry = self._shown[source]
            self.show(moment, entry.kinds, entry.style)

    def lie_over(self, source: Layer) -> None:
        """Bring the layers of a source to where it lies now."""
        for layer in self.layers(source).values():
            if layer in self._viewer.layers:
                for name, value in placement(source, layer.ndim).items():
                    setattr(layer, name, value)

    def keep(self, outcome: RunOutcome) -> None:
        """Remember a finished result, whatever step is shown."""
        entry = self._shown.get(outcome.request.source)
        if entry is not None:
            entry.outcome = outcome

    def tick(
        self, source: Layer | None, kinds: set[str], style: DrawingStyle | None = None
    ) -> None:
        """Show other kinds, or in another style, of what is shown of a source."""
        moment = self.moment(source)
        if moment is not None:
            self.show(moment, kinds, style)

    def follow(self, event: object = None) -> None:
        """Draw arrows, grid and contours for what the viewer shows now."""
        for source, entry in self._shown.items():
            if source in self._viewer.layers:
                self._forget_removed_layers(entry)
                view = self._view(entry)
                for key in _stale(entry, view):
                    self._put(entry, key, view)

    def _all_layers(self) -> list[Layer]:
        return [layer for entry in self._shown.values() for layer in entry.layers.values()]

    def _put(self, entry: _Shown, key: str, view: View) -> None:
        """Make or update a layer; one that the view cannot show is hidden until it can."""
        layer = entry.layers.get(key)
        if kind_of(key).spatial and not view.spatial:
            entry.out_of_view.add(key)
            self._hide_layer(entry, key)
            return
        entry.out_of_view.discard(key)
        if kind_of(key).follows_view:
            entry.views[key] = view
        before, entry.drawn[key] = entry.drawn.get(key), entry.moment
        shown = entry.moment, view, entry.style
        if layer is not None:
            same = before is not None and unchanged(key, before, *shown)
            if same and entry.moment.outcome is not None:
                finish_layer(layer)
            if same or update_layer(key, layer, *shown):
                self._reveal(entry, key, layer)
                return
            self._viewer.layers.remove(layer)
        self._add(entry, key, new_layer(key, *shown))

    def _reveal(self, entry: _Shown, key: str, layer: Layer) -> None:
        """Show a layer again that was hidden here."""
        if key in entry.hidden:
            layer.visible = True
        entry.hidden.discard(key)

    def _hide(self, entry: _Shown, kind: str, but: list[str]) -> None:
        for key in entry.layers:
            if kind_of(key).name == kind and key not in but:
                self._hide_layer(entry, key)

    def _hide_layer(self, entry: _Shown, key: str) -> None:
        """Hide a layer until there is something to show; what the user hides stays hidden."""
        layer = entry.layers.get(key)
        if layer is not None and layer.visible:
            entry.hidden.add(key)
            layer.visible = False

    def _forget_removed_sources(self) -> None:
        """Forget sources that left the viewer with all their layers."""
        there = set(self._viewer.layers)
        gone = [s for s, e in self._shown.items() if there.isdisjoint((s, *e.layers.values()))]
        for source in gone:
            del self._shown[source]

    def _forget_removed_layers(self, entry: _Shown) -> None:
        gone = [key for key, layer in entry.layers.items() if layer not in self._viewer.layers]
        for key in gone:
            del entry.layers[key]
            entry.views.pop(key, None)
            entry.drawn.pop(key, None)
            entry.hidden.discard(key)

    def _add(self, entry: _Shown, key: str, layer: Layer) -> None:
        chosen = set(self._viewer.layers.selection)
        active = self._viewer.layers.selection.active
        above = [
            self._viewer.layers.index(other)
            for name, other in entry.layers.items()
            if height(name) > height(key)
        ]
        entry.layers[key] = layer
        self._viewer.layers.insert(min(above, default=_below_shapes(self._viewer)), layer)
        self._viewer.layers.selection = chosen
        self._viewer.layers.selection.active = active
        layer.events.visible.connect(self.follow)

    def _view(self, entry: _Shown) -> View:
        return view_of(entry.moment.request.source, self._viewer.dims, entry.moment.spatial_axes)


def arrow_limit_mm(moment: Moment | RunOutcome) -> float:
    """Length of arrows at the end of their colour scale, the same for all results of a source."""
    return limit_mm(moment.layer_case.case.grid)


def _below_shapes(viewer: ViewerModel) -> int:
    """The place on top of all layers, but for the shapes that the user drew there."""
    place = len(viewer.layers)
    while place and isinstance(viewer.layers[place - 1], Shapes):
        place -= 1
    return place


def _stale(entry: _Shown, view: View) -> list[str]:
    """What has to be drawn again for a view, or hidden there."""
    visible = [key for key, layer in entry.layers.items() if layer.visible]
    if not view.spatial:
        return [key for key in visible if kind_of(key).spatial]
    drawn = [key for key in visible if entry.views.get(key, view) != view]
    return [*entry.out_of_view, *drawn]
