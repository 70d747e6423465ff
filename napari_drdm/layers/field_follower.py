"""Keeps the arrows of field layers on the plane in view, over the image that lies where they do."""

from __future__ import annotations

import weakref
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_drdm.layers.field_layers import (
    ARROWS_PER_PLANE,
    MOST_ARROWS,
    DenseField,
    arrows_over,
    axes_of,
    field_of,
)
from napari_drdm.layers.geometry import placement
from napari_drdm.layers.snapshots import take_snapshot
from src_core.cases.grid import Grid
from src_core.errors import DRDMError

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer

__all__ = ["follow", "grid_for", "placement_over", "same_grid"]

_SAME = 1e-3
_FOLLOWERS: list[_Follower] = []


def follow(viewer: ViewerModel) -> None:
    """Watch a viewer from now on; more calls change nothing."""
    _FOLLOWERS[:] = [known for known in _FOLLOWERS if known.viewer() is not None]
    if all(known.viewer() is not viewer for known in _FOLLOWERS):
        _FOLLOWERS.append(_Follower(viewer))


def grid_for(layer: Layer, field: DenseField) -> Grid | None:
    """Where an image lies, if that is known or it has the field's own shape and spacing."""
    try:
        snapshot = take_snapshot(layer)
    except DRDMError:
        return None
    if snapshot.affine is not None:
        return Grid(snapshot.shape, snapshot.affine)
    n = 2 if snapshot.shape[2] == 1 else 3
    alike = snapshot.shape == field.grid.shape
    near = np.allclose(snapshot.spacing[:n], field.grid.spacing[:n], rtol=_SAME)
    return field.grid if alike and near else None


def placement_over(viewer: ViewerModel, field: DenseField) -> dict[str, Any]:
    """Where a layer of a field's own voxels lies: over its image, where that is open."""
    n = 2 if field.plane else 3
    own = axes_of(field.grid, field.plane)
    image = _image_below(viewer, n, field)
    grid = None if image is None else grid_for(image, field)
    if image is None or grid is None:
        return own
    if same_grid(grid, field.grid):
        return placement(image, n)
    across = np.linalg.inv(grid.affine) @ field.grid.affine
    in_image = np.eye(4)
    in_image[:3] = across[2::-1][:, [2, 1, 0, 3]]
    unscaled = np.diag([*(1 / np.asarray(own["scale"])), 1.0])
    return {**own, "affine": _world(image) @ in_image @ unscaled}


def _world(image: Layer) -> NDArray[np.float64]:
    """From voxels along the last three axes of an image to the viewer's world, (4, 4)."""
    rows = [(0,) * image.ndim, *np.eye(image.ndim)[-3:]]
    origin, *ends = (np.asarray(image.data_to_world(row))[-3:] for row in rows)
    world = np.eye(4)
    world[:3] = np.column_stack([*(end - origin for end in ends), origin])
    return world


@dataclass(eq=False)
class _Place:
    """A field layer: the field, the grid its arrows start on, and the plane they are on."""

    field: DenseField
    grid: Grid
    at_home: bool = True
    plane: tuple[tuple[int, int], ...] | None = None


class _Follower:
    def __init__(self, viewer: ViewerModel) -> None:
        self.viewer = weakref.ref(viewer)
        self._places: weakref.WeakKeyDictionary[Layer, _Place] = weakref.WeakKeyDictionary()
        dims = viewer.dims.events
        for emitter in (dims.current_step, dims.order, dims.ndisplay):
            emitter.connect(self._on_view)
        viewer.layers.events.inserted.connect(self._on_layers)
        self._on_layers()

    def _on_layers(self, event: Any = None) -> None:
        """Follow new field layers, and put those without an image over one that was added."""
        viewer = self.viewer()
        for layer in [] if viewer is None else list(viewer.layers):
            field = field_of(layer)
            if field is None or layer.metadata["drdm"].get("output") != "field":
                continue
            if layer not in self._places:
                self._places[layer] = _Place(field, field.grid)
                layer.events.visible.connect(self._on_view)
            if self._places[layer].at_home:
                self._settle(layer, self._places[layer])
        self._on_view()

    def _settle(self, layer: Layer, place: _Place) -> None:
        image = _image_below(self.viewer(), layer.ndim, place.field)
        grid = None if image is None else grid_for(image, place.field)
        if image is None or grid is None:
            return
        place.at_home, place.plane = not same_grid(grid, place.field.grid), None
        place.grid = grid
        for name, value in placement(image, layer.ndim).items():
            setattr(layer, name, value)

    def _on_view(self, event: Any = None) -> None:
        viewer = self.viewer()
        for layer in [] if viewer is None else list(viewer.layers):
            place = self._places.get(layer)
            if place is None or not layer.visible:
                continue
            plane = _plane(viewer, layer)
            if plane != place.plane:
                place.plane = plane
                _draw(layer, place)


def _image_below(viewer: Any, ndim: int, field: DenseField) -> Layer | None:
    """The image on the field's own grid, else the first known to lie about its middle."""
    images = [i for i in viewer.layers if type(i).__name__ == "Image" and i.ndim >= ndim]
    grids = [(image, grid_for(image, field)) for image in images]
    known = [(image, grid) for image, grid in grids if grid is not None]
    same = [image for image, grid in known if same_grid(grid, field.grid)]
    about = [image for image, grid in known if _holds_middle(grid, field.grid)]
    return (same or about or [None])[0]


def same_grid(one: Grid, other: Grid) -> bool:
    """Whether two grids have the same voxels at the same places."""
    return one.shape == other.shape and one.distance_mm(other) < _SAME * min(one.spacing)


def _holds_middle(grid: Grid, field: Grid) -> bool:
    middle = field.affine @ [*((np.array(field.shape) - 1) / 2), 1.0]
    at = (np.linalg.inv(grid.affine) @ middle)[:3]
    return bool(((at >= -0.5) & (at <= np.array(grid.shape) - 0.5)).all())


def _plane(viewer: Any, layer: Layer) -> tuple[tuple[int, int], ...]:
    """(axis, index) of the layer's axes that the viewer does not display."""
    dims = viewer.dims
    at = layer.world_to_data(dims.point[-layer.ndim :])
    hidden = [a - (dims.ndim - layer.ndim) for a in dims.not_displayed]
    return tuple((a, round(float(at[a]))) for a in hidden if a >= 0)


def _draw(layer: Layer, place: _Place) -> None:
    count = ARROWS_PER_PLANE if len(place.plane or ()) == layer.ndim - 2 else MOST_ARROWS
    flat = layer.ndim == 2
    vectors, mm = arrows_over(place.field, place.grid, flat, dict(place.plane or ()), count)
    layer.data = vectors
    layer.features = {"mm": mm}
