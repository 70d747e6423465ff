"""The picture that points are taken of: from the mouse to LPS mm, and from there to the canvas."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import numpy as np

from napari_drdm.dragging.marks import Mark
from napari_drdm.dragging.places import in_slice, lps_of, moved, voxel_of, within
from napari_drdm.dragging.pulls import Pull
from napari_drdm.overlays.view import place_of, view_of, voxel_under

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from numpy.typing import NDArray

    from napari_drdm.dragging.pulls import Place
    from napari_drdm.runs.moments import Moment
    from napari_drdm.runs.requests import RunOutcome

__all__ = ["DraggedPicture"]


class DraggedPicture:
    """What is shown of a source, as the view has it.

    Attributes:
        ndim: axes of the model.

    Args:
        viewer: whose view it is.
        moment: gives what is shown, or None.
        outcome: gives the latest result, or None.
    """

    def __init__(
        self,
        viewer: ViewerModel,
        moment: Callable[[], Moment | None],
        outcome: Callable[[], RunOutcome | None],
    ) -> None:
        self._viewer, self._given, self._outcome = viewer, moment, outcome
        self.ndim = 3

    def moment(self) -> Moment | None:
        """What is shown; None where there is nothing, or its source has left the viewer."""
        moment = self._given()
        there = moment is not None and moment.request.source in self._viewer.layers
        return moment if there else None

    def place(self, position: tuple[float, ...]) -> Place | None:
        """A world position as LPS mm; None beside the image."""
        moment = self.moment()
        if moment is None:
            return None
        layer = voxel_under(moment.request.source, self._viewer.dims, position)
        grid = moment.layer_case.case.grid
        voxel = np.append(layer[-moment.spatial_axes :][::-1], 0.0)[:3]
        return lps_of(grid, voxel) if within(grid, voxel) else None

    def taken(self, place: Place) -> Pull:
        """The point of the anatomy that is seen at a place."""
        moment, outcome = self.moment(), self._outcome()
        field = None if moment is None else moment.displacement
        if field is None and outcome is not None:
            field = outcome.result.displacement
        if field is None or moment is None:
            return Pull(place, place, place)
        return Pull(moved(moment.layer_case.case.grid, field, place), place, place)

    def in_slices(self, pulls: tuple[Pull, ...]) -> tuple[Pull, ...]:
        """The same points; with a 2D model they stay in the slices that they were taken in."""
        moment = self.moment()
        if moment is None or self.ndim != 2:
            return pulls
        return tuple(in_slice(moment.layer_case.case.grid, pull) for pull in pulls)

    def marks(self, pulls: Iterable[Pull]) -> list[Mark]:
        """Marks of the points that are on view."""
        found = []
        for pull in pulls:
            seen, end = self._on_canvas(pull.seen), self._on_canvas(pull.end)
            if seen is not None and end is not None:
                found.append(Mark((seen[1], seen[0]), (end[1], end[0]), pull.held))
        return found

    def nearest(
        self, pulls: Iterable[Pull], position: tuple[float, ...]
    ) -> tuple[int, float] | None:
        """Which point on view is nearest to a world position, and its distance, world units."""
        at = [position[axis] for axis in self._viewer.dims.displayed][-2:]
        ends = [(index, self._on_canvas(pull.end)) for index, pull in enumerate(pulls)]
        away = [(float(np.linalg.norm(end - at)), i) for i, end in ends if end is not None]
        return (min(away)[1], min(away)[0]) if away else None

    def _on_canvas(self, place: Place) -> NDArray[np.float64] | None:
        """World coordinates of a place on the displayed axes; None on another slice."""
        moment = self.moment()
        if moment is None:
            return None
        source, n = moment.request.source, moment.spatial_axes
        view = view_of(source, self._viewer.dims, n)
        if not view.spatial or len(view.shown) != 2:
            return None
        voxel = voxel_of(moment.layer_case.case.grid, place)[:n][::-1]
        if not self._through(moment) and any(abs(voxel[a] - at) > 0.5 for a, at in view.fixed):
            return None
        whole = np.zeros(source.ndim)
        whole[source.ndim - n :] = voxel
        return place_of(source, self._viewer.dims, whole)

    def _through(self, moment: Moment) -> bool:
        """Whether a point counts on every slice: one deformation serves all of them."""
        options = moment.request.options
        return self.ndim == 2 and options is not None and options.slices == "shared"
