"""Nine seeds of one level side by side in the viewer's grid.

With a stride of -1 the topmost layer takes the first cell, so nine layers on top, the first seed
above the second, fill a 3 x 3 grid in reading order; with labels it is -2, each over its image.
Whatever lies below need not be hidden: it shares cells with them, covered; in 3D, where nothing is
covered, it comes after them in more rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from napari.qt.threading import create_worker
from qtpy.QtCore import QObject, Signal

from napari_drdm.runs.requests import Failure
from napari_drdm.variants.layers import (
    OwnLayers,
    label_values,
    labels_layer,
    passing_name,
    picture_layer,
    values,
)
from napari_drdm.variants.sequence import Generate, SeedUpdate, in_sequence, separate_compute

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Image, Labels, Layer

    from napari_drdm.runs.requests import RunOutcome, RunRequest

__all__ = ["SEEDS", "SeedGrid", "requests_for"]

#: Seeds side by side.
SEEDS = 9
_GRID = ("stride", "shape", "spacing")
_CAMERA = ("center", "zoom")
_WAITING = " …"
_HIGHEST = 2**31 - 1


@dataclass(frozen=True, eq=False)
class _Cell:
    """A seed's picture and, over it, its labels."""

    image: Image
    labels: Labels | None

    @property
    def layers(self) -> list[Layer]:
        """From the bottom up."""
        return [self.image] if self.labels is None else [self.image, self.labels]


class SeedGrid(QObject):
    """Fills the viewer with nine seeds, and leaves it as it was.

    ``made(RunOutcome)``: a seed is there; ``message(str)``: how it goes; ``ran(bool)``: work
    begins, or none is left.

    Args:
        viewer: whose grid is used.
        own: keeps the nine layers.
        generate: runs a request; called in a worker. None: with memory of
            its own, for as long as the work takes.
    """

    made = Signal(object)
    message = Signal(str)
    ran = Signal(bool)

    def __init__(self, viewer: ViewerModel, own: OwnLayers, generate: Generate | None) -> None:
        super().__init__()
        self._viewer, self._own, self._generate = viewer, own, generate
        self._cells: list[_Cell] = []
        self._source: Any = None
        self._worker: Any = None
        self._run = 0
        self._before: dict[str, Any] | None = None

    @property
    def active(self) -> bool:
        """Whether the viewer shows nine seeds."""
        return self._before is not None

    @property
    def busy(self) -> bool:
        """Whether seeds are computed."""
        return self._worker is not None

    def enter(
        self,
        requests: Sequence[RunRequest],
        known: Sequence[RunOutcome | None],
        labels: bool = True,
    ) -> None:
        """Show the source in every cell, and each seed as it comes; known ones at once.

        Args:
            requests: one for each cell.
            known: their results, where they are known.
            labels: show the labels that go with them.
        """
        self.leave()
        grid, camera = self._viewer.canvas.grid, self._viewer.scene.camera
        self._before = {name: getattr(grid, name) for name in _GRID}
        self._before |= {name: getattr(camera, name) for name in _CAMERA}
        self._before["enabled"] = grid.enabled
        self._source = requests[0].source
        self._cells = [_waiting(request, labels) for request in requests]
        for layer in (layer for cell in reversed(self._cells) for layer in cell.layers):
            self._own.add(layer)
        grid.stride, grid.spacing = -len(self._cells[0].layers), 0.02
        self._on_ndisplay()
        grid.enabled = True
        self._viewer.dims.events.ndisplay.connect(self._on_ndisplay)
        grid.events.enabled.connect(self._on_grid)
        # napari frames a choice of layers only where they have all the axes there are
        whole = self._source.ndim == self._viewer.dims.ndim
        pictures = [cell.image for cell in self._cells]
        self._viewer.fit_to_view(layers=pictures if whole else None)
        self._start(requests, known)

    def leave(self) -> None:
        """End the work, remove the nine, and restore grid and camera."""
        self._quit()
        before, self._before = self._before, None
        cells, self._cells = self._cells, []
        if before is None:
            return
        grid, camera = self._viewer.canvas.grid, self._viewer.scene.camera
        grid.events.enabled.disconnect(self._on_grid)
        self._viewer.dims.events.ndisplay.disconnect(self._on_ndisplay)
        grid.enabled = before["enabled"]
        self._drop(cells)
        for name in _GRID:
            setattr(grid, name, before[name])
        for name in _CAMERA:
            setattr(camera, name, before[name])

    def tidy(self) -> None:
        """Leave where the source or all of the nine were removed; a cell loses both its layers."""
        layers = self._viewer.layers
        whole = [cell for cell in self._cells if all(own in layers for own in cell.layers)]
        if self.active and (self._source not in layers or not whole):
            self.leave()
        else:
            self._drop([cell for cell in self._cells if cell not in whole])

    def _drop(self, cells: Sequence[_Cell]) -> None:
        for layer in (layer for cell in cells for layer in cell.layers):
            self._own.drop(layer)

    def _on_grid(self, event: Any) -> None:
        """The user switched the grid off."""
        self.leave()

    def _on_ndisplay(self, event: Any = None) -> None:
        flat = self._viewer.dims.ndisplay == 2
        self._viewer.canvas.grid.shape = (3, 3) if flat else (-1, 3)

    def _start(self, requests: Sequence[RunRequest], known: Sequence[RunOutcome | None]) -> None:
        self._run += 1
        self._worker = create_worker(
            in_sequence,
            self._run,
            self._generate or separate_compute(),
            requests,
            known,
            _start_thread=False,
        )
        self._worker.yielded.connect(self._on_news)
        self.message.emit(f"0 of {len(requests)} seeds")
        self.ran.emit(True)
        self._worker.start()

    def _quit(self) -> None:
        if self._worker is not None:
            self._worker.quit()
            self._worker = None
            self.ran.emit(False)

    def _on_news(self, news: SeedUpdate) -> None:
        if self._worker is None or news.run != self._run:
            return
        if news.place is None:
            self._quit()
        elif isinstance(news.answer, Failure):
            self.message.emit(news.answer.message)
            self._quit()
        elif news.answer is not None:
            self._fill(self._cells[news.place], news.answer)
            self.message.emit(f"{news.place + 1} of {len(self._cells)} seeds")
            self.made.emit(news.answer)

    def _fill(self, cell: _Cell, outcome: RunOutcome) -> None:
        cell.image.data = values(outcome)
        cell.image.contrast_limits = outcome.request.source.contrast_limits
        cell.image.name = cell.image.name.replace(_WAITING, "", 1)
        if cell.labels is not None:
            cell.labels.data = label_values(outcome, cell.labels.data.dtype)


def requests_for(request: RunRequest) -> list[RunRequest]:
    """The same request for nine seeds from its own one on."""
    first = min(request.options.seed, _HIGHEST - SEEDS + 1)
    return [
        replace(request, options=request.options.model_copy(update={"seed": first + more}))
        for more in range(SEEDS)
    ]


def _waiting(request: RunRequest, labels: bool) -> _Cell:
    """The source as it is, until its seed is there."""
    options, taken = request.options, request.snapshot
    name = f"S{options.seed} L{options.level}"
    image = picture_layer(request.source, taken.image, passing_name(name + _WAITING), "seed")
    image.name_overlay.visible = True
    if not labels or request.labels is None or taken.labels is None:
        return _Cell(image, None)
    own = labels_layer(request.labels, taken.labels, passing_name(f"{name} labels"), "seed labels")
    return _Cell(image, own)
