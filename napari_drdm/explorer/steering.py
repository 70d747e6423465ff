"""Targets in the explorer: rows, further texts and dragged points, asked for and shown again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QObject, Signal

from napari_drdm.dragging.anatomy_drag import AnatomyDrag
from napari_drdm.dragging.pulls import Pull
from napari_drdm.explorer.target_values import reached, sorted_targets, walls_of
from napari_drdm.layers.geometry import spacing_mm
from napari_drdm.messages import error_line
from napari_drdm.runs.runner import BackgroundTask
from napari_drdm.variants.label_sizes import label_sizes
from napari_drdm.widgets.target_row import TargetLabel
from src_core.cases.grid import Grid
from src_core.errors import DRDMError
from src_core.steering.amounts import Amount
from src_core.steering.contradictions import check_together
from src_core.steering.kinds import HoldTarget, PointTarget, SizeTarget, Target, ThicknessTarget
from src_core.steering.targets import parse_target, target_text

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Image, Labels
    from numpy.typing import NDArray

    from napari_drdm.explorer.form import ExplorerForm
    from napari_drdm.runs.moments import Moment
    from napari_drdm.runs.requests import RunOutcome

__all__ = ["Steering"]

#: Walls are looked for among so many labels and voxels at most.
_MOST_LABELS, _MOST_VOXELS = 8, 8_000_000


class Steering(QObject):
    """What is asked for beyond level and seed.

    ``changed()``: something else is asked for; ``pulled()``: a point is elsewhere while the mouse
    moves; ``started()``: points are about to be dragged; ``failed(str)``: why not.

    Attributes:
        drag: the mode of dragging.

    Args:
        viewer: whose canvas is used for dragging.
        form: with the targets' panel.
        moment: gives what is shown, or None.
        outcome: gives the latest result, or None.
    """

    changed = Signal()
    pulled = Signal()
    started = Signal()
    failed = Signal(str)

    def __init__(
        self,
        viewer: ViewerModel,
        form: ExplorerForm,
        moment: Callable[[], Moment | None],
        outcome: Callable[[], RunOutcome | None],
    ) -> None:
        super().__init__(form)
        self._panel, self._outcome = form.targets, outcome
        self.drag = AnatomyDrag(viewer, moment, outcome)
        self._labels: dict[int, TargetLabel] = {}
        self._turned_to: tuple[Any, ...] = ()
        self._counted = 0
        panel = self._panel
        panel.changed.connect(self._on_change)
        panel.drag_asked.connect(self.drag.turn)
        panel.undo_asked.connect(self.drag.undo)
        panel.clear_asked.connect(self.drag.clear)
        panel.reset_asked.connect(self.reset)
        self.drag.pulled.connect(self._on_pulled)
        self.drag.changed.connect(self._on_change)
        self.drag.turned.connect(self._on_turned)
        self.drag.message.connect(self.failed)

    def targets(self) -> tuple[Target, ...]:
        """What the form asks for.

        Raises:
            InputError: a text is not possible, or two targets contradict each other.
        """
        found: list[Target] = []
        for value, row in self._panel.rows.items():
            factor, wall = row.factor.value(), row.wall.value() if row.wall else None
            if row.hold.isChecked():
                found.append(HoldTarget(value))
            elif factor is not None:
                area = self._labels[value].flat
                found.append(SizeTarget(value, Amount("times", factor, factor), area))
            if wall is not None:
                found.append(ThicknessTarget(value, Amount("plus", wall, wall, "mm")))
        found += [PointTarget(pull.start, pull.end) for pull in self.drag.pulls]
        found += [parse_target(text) for text in self._panel.further_texts()]
        check_together(found)
        return tuple(found)

    def place(self, targets: Sequence[Target]) -> None:
        """Show targets, without a signal."""
        panel = self._panel
        shown = sorted_targets(targets, {v: r.wall is not None for v, r in panel.rows.items()})
        for value, row in panel.rows.items():
            row.place(shown.sizes.get(value), value in shown.held, shown.walls.get(value))
        panel.place_further([target_text(target) for target in shown.others])
        known = {(pull.start, pull.end): pull for pull in self.drag.pulls}
        self.drag.place_pulls(
            tuple(known.get((p.start, p.end), Pull(p.start, p.start, p.end)) for p in shown.points)
        )
        self.show()

    def turn_to(self, image: Image | None, labels: Labels | None, ndim: int) -> None:
        """Another image, other labels or another model: their own rows.

        Points belong to one image. How thick walls are comes a little later.

        Args:
            ndim: axes of the model.
        """
        before, self._turned_to = self._turned_to, (image, labels, ndim)
        self.drag.picture.ndim = ndim
        if before == self._turned_to:
            return
        if before[:1] != (image,):
            self.drag.forget()
            self.drag.turn(False)
        self._offer({})
        few = len(self._labels) <= _MOST_LABELS
        if labels is not None and few and labels.data.size <= _MOST_VOXELS:
            find = BackgroundTask(self)
            find.done.connect(partial(self._on_walls, self._turned_to))
            find.run(partial(_walls, np.array(labels.data), spacing_mm(labels), ndim))

    def rename(self) -> None:
        """Labels have other names: their rows show them."""
        walls = {v: label.wall_mm for v, label in self._labels.items() if label.wall_mm}
        self._offer(walls)

    def show(self) -> None:
        """What the latest result has of what is asked for; nothing where it was asked otherwise."""
        outcome, panel = self._outcome(), self._panel
        found = reached(self._outcomes(outcome), self._labels)
        panel.show_reached(found.sizes, found.walls, found.whole)
        pulls = self.drag.pulls
        self._counted = len(pulls)
        held = sum(pull.held for pull in pulls)
        panel.show_points(len(pulls) - held, held, self.drag.undoable, found.points)

    def reset(self) -> None:
        """Ask for nothing."""
        for row in self._panel.rows.values():
            row.place(None, False, None)
        self._panel.place_further(())
        self.drag.forget()
        self._on_change()

    def close(self) -> None:
        """End the mode of dragging for good."""
        self.drag.close()

    def _offer(self, walls: Mapping[int, float]) -> None:
        """Rows for the labels; what was asked for stays so where it can."""
        try:
            asked = self.targets()
        except DRDMError:
            asked = ()
        labels = self._turned_to[1]
        offered = [
            TargetLabel(
                size.value,
                size.name,
                size.shown,
                size.unit,
                walls.get(size.value),
                size.length.name,
                size.flat,
                "in space" if self._turned_to[2] == 3 else "in plane",
            )
            for size in label_sizes(labels)
        ]
        self._labels = {label.value: label for label in offered}
        self._panel.offer(offered)
        self.place([t for t in asked if {*t.labels} <= {*self._labels}])

    def _on_walls(self, turned_to: tuple[Any, ...], walls: dict[int, float]) -> None:
        if walls and turned_to == self._turned_to:
            self._offer(walls)

    def _outcomes(self, outcome: RunOutcome | None) -> Sequence[Any]:
        """What became of the targets, where they are those that the form asks for."""
        if outcome is None:
            return ()
        try:
            same = self.targets() == outcome.request.options.targets
        except DRDMError:
            return ()
        return outcome.result.targets if same else ()

    def _on_pulled(self) -> None:
        if len(self.drag.pulls) != self._counted:  # the panel is not drawn for every move
            self.show()
        self.pulled.emit()

    def _on_change(self) -> None:
        try:
            self.targets()
        except DRDMError as error:
            self.failed.emit(error_line(error))
            return
        self.show()
        self.changed.emit()

    def _on_turned(self, on: bool) -> None:
        self._panel.set_dragging(on)
        if on:
            self.started.emit()


def _walls(
    values: NDArray[Any], spacing: tuple[float, float, float], ndim: int
) -> dict[int, float]:
    """In a worker: how thick walls are in a layer's values, mm."""
    labels = np.atleast_3d(values.T)
    x, y, z = labels.shape[:3]
    grid = Grid.from_spacing((x, y, z), spacing)
    return walls_of(labels, grid, None if ndim == 3 else grid.slice_axis)
