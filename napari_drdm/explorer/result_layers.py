"""The layers of a result in a viewer: made once per source, then updated in place.

Only layers made here are changed; the user's are read and left alone. What the shown moment of a
run has no data for (a quick preview has no field) is hidden, never shown as it was before.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from napari.layers import Layer, Shapes

from napari_drdm.overlays import Style, View, limit_mm, view_of
from napari_drdm.overlays.build import (
    DRAWN,
    FLAT,
    KINDS,
    finish_layer,
    keys_of,
    new_layer,
    spatial_axes,
    unchanged,
    update_layer,
)
from napari_drdm.runs.moments import Look, of_outcome

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_drdm.runs.runner import Outcome

__all__ = ["KINDS", "ResultLayers", "arrow_limit_mm"]


@dataclass(eq=False)
class _Shown:
    """What stands in the viewer for one source."""

    look: Look
    kinds: set[str] = field(default_factory=set)
    style: Style = field(default_factory=Style)
    layers: dict[str, Layer] = field(default_factory=dict)
    outcome: Outcome | None = None
    views: dict[str, View] = field(default_factory=dict)
    astray: set[str] = field(default_factory=set)
    hidden: set[str] = field(default_factory=set)
    drawn: dict[str, Look] = field(default_factory=dict)


class ResultLayers:
    """The layers of what is shown of every source.

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
        """The layers of a source by kind; a second image is ``image 2``."""
        return dict(self._shown[source].layers) if source in self._shown else {}

    def look(self, source: Layer | None) -> Look | None:
        """What is shown of a source now."""
        entry = self._shown.get(source) if source is not None else None
        return entry.look if entry else None

    def outcome(self, source: Layer | None) -> Outcome | None:
        """The latest finished result of a source, whatever step is shown."""
        entry = self._shown.get(source) if source is not None else None
        return entry.outcome if entry else None

    def show(self, look: Look | Outcome, kinds: set[str], style: Style | None = None) -> None:
        """Bring a source's layers up to date; those not ticked are hidden and not computed."""
        if not isinstance(look, Look):
            look = of_outcome(look)
        source = look.request.source
        self._forget_the_gone()
        if source not in self._viewer.layers:
            return
        entry = self._shown.setdefault(source, _Shown(look))
        entry.look, entry.kinds = look, set(kinds)
        entry.style = style or entry.style
        entry.outcome = look.outcome or entry.outcome
        self._forget_the_removed(entry)
        entry.views.clear()
        entry.astray.clear()
        view = self._view(entry)
        for kind in KINDS:
            keys = keys_of(kind, look) if kind in kinds else []
            self._hide(entry, kind, but=keys)
            for key in keys:
                self._put(entry, key, view)

    def turn_to(self, source: Layer | None) -> None:
        """Show the results of one source alone, on top of what may have been added since."""
        for other, entry in self._shown.items():
            self._forget_the_removed(entry)
            if other is not source:
                for key in entry.layers:
                    self._conceal(entry, key)
                continue
            for key in sorted(entry.layers, key=_height):
                layer = entry.layers[key]
                self._viewer.layers.move(
                    self._viewer.layers.index(layer), _below_shapes(self._viewer)
                )
        look = self.look(source)
        if look is not None:
            entry = self._shown[source]
            self.show(look, entry.kinds, entry.style)

    def keep(self, outcome: Outcome) -> None:
        """Remember a finished result, whatever step is shown."""
        entry = self._shown.get(outcome.request.source)
        if entry is not None:
            entry.outcome = outcome

    def tick(self, source: Layer | None, kinds: set[str], style: Style | None = None) -> None:
        """Show other kinds, or in another style, of what is shown of a source."""
        look = self.look(source)
        if look is not None:
            self.show(look, kinds, style)

    def follow(self, event: object = None) -> None:
        """Draw arrows, grid and contours for what the viewer shows now."""
        for source, entry in self._shown.items():
            if source in self._viewer.layers:
                self._forget_the_removed(entry)
                view = self._view(entry)
                for key in _stale(entry, view):
                    self._put(entry, key, view)

    def _put(self, entry: _Shown, key: str, view: View) -> None:
        """Make or update a layer; one that has no place on the view is hidden until it has."""
        layer = entry.layers.get(key)
        if key.split()[0] in FLAT and not view.spatial:
            entry.astray.add(key)
            self._conceal(entry, key)
            return
        entry.astray.discard(key)
        if key.split()[0] in DRAWN:
            entry.views[key] = view
        before, entry.drawn[key] = entry.drawn.get(key), entry.look
        same = layer is not None and before is not None and unchanged(key, before, entry.look)
        if same and entry.look.outcome is not None:
            finish_layer(layer)
        if same or (layer is not None and update_layer(key, layer, entry.look, view, entry.style)):
            if key in entry.hidden:
                layer.visible = True
            entry.hidden.discard(key)
            return
        if layer is not None:
            self._viewer.layers.remove(layer)
        self._add(entry, key, new_layer(key, entry.look, view, entry.style))

    def _hide(self, entry: _Shown, kind: str, but: list[str]) -> None:
        for key in entry.layers:
            if key.split()[0] == kind and key not in but:
                self._conceal(entry, key)

    def _conceal(self, entry: _Shown, key: str) -> None:
        """Hide a layer until there is something to show; what the user hides stays hidden."""
        layer = entry.layers.get(key)
        if layer is not None and layer.visible:
            entry.hidden.add(key)
            layer.visible = False

    def _forget_the_gone(self) -> None:
        """Let go of sources that left the viewer with all their layers."""
        there = set(self._viewer.layers)
        gone = [s for s, e in self._shown.items() if there.isdisjoint((s, *e.layers.values()))]
        for source in gone:
            del self._shown[source]

    def _forget_the_removed(self, entry: _Shown) -> None:
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
            if _height(name) > _height(key)
        ]
        entry.layers[key] = layer
        self._viewer.layers.insert(min(above, default=_below_shapes(self._viewer)), layer)
        self._viewer.layers.selection = chosen
        self._viewer.layers.selection.active = active
        layer.events.visible.connect(self.follow)

    def _view(self, entry: _Shown) -> View:
        return view_of(entry.look.request.source, self._viewer.dims, spatial_axes(entry.look))


def arrow_limit_mm(look: Look | Outcome) -> float:
    """Length of arrows at the end of their colour scale, the same for all results of a source."""
    return limit_mm(look.layer_case.case.grid)


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
        return [key for key in visible if key.split()[0] in FLAT]
    drawn = [key for key in visible if entry.views.get(key, view) != view]
    return [*entry.astray, *drawn]


def _height(key: str) -> tuple[int, int]:
    kind, _, number = key.partition(" ")
    return KINDS.index(kind), int(number or 1)
