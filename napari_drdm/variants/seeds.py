"""Nine seeds of one level side by side in the viewer's grid.

With a stride of -1 the topmost layer takes the first cell, so nine layers on top, the first seed
above the second, fill a 3 x 3 grid in reading order. Whatever lies below need not be hidden: it
shares cells with them, covered; in 3D, where nothing is covered, it comes after them in more rows.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.qt.threading import create_worker
from qtpy.QtCore import QObject, Signal

from napari_drdm.cases import shown
from napari_drdm.requests import Failure, Outcome, Viewed
from napari_drdm.variants.layers import OwnLayers, passing_name, picture_layer, values
from napari_drdm.wording import said

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Image

    from napari_drdm.cases import Snapshot
    from napari_drdm.requests import Request

__all__ = ["SEEDS", "SeedGrid", "requests_for"]

_log = logging.getLogger(__name__)

#: Seeds side by side.
SEEDS = 9
_GRID = ("stride", "shape", "spacing")
_CAMERA = ("center", "zoom")
_WAITING = " …"
_HIGHEST = 2**31 - 1

#: A request -> anything between steps, and once an Outcome or a Failure, as ``Desk.run``.
Generate = Callable[["Request"], Iterator[Any]]


@dataclass(frozen=True, eq=False)
class _News:
    """From a worker: the outcome or failure of one cell, None between steps; no cell at the end."""

    run: int
    place: int | None = None
    answer: Outcome | Failure | None = None


class SeedGrid(QObject):
    """Fills the viewer with nine seeds, and leaves it as it was.

    ``made(Outcome)``: a seed is there; ``said(str)``: how it goes, in one line; ``ran(bool)``: work
    begins, or none is left.

    Args:
        viewer: whose grid is used.
        own: keeps the nine layers.
        generate: runs a request; called in a worker. None for a desk of its own, which lasts as
            long as the work.
    """

    made = Signal(object)
    said = Signal(str)
    ran = Signal(bool)

    def __init__(self, viewer: ViewerModel, own: OwnLayers, generate: Generate | None) -> None:
        super().__init__()
        self._viewer, self._own, self._generate = viewer, own, generate
        self._layers: list[Image] = []
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

    def enter(self, requests: Sequence[Request], known: Sequence[Outcome | None]) -> None:
        """Show the source in every cell, and each seed as it comes; known ones at once."""
        self.leave()
        grid, camera = self._viewer.canvas.grid, self._viewer.scene.camera
        self._before = {name: getattr(grid, name) for name in _GRID}
        self._before |= {name: getattr(camera, name) for name in _CAMERA}
        self._before["enabled"] = grid.enabled
        self._source = requests[0].source
        self._layers = [_waiting(request) for request in requests]
        for layer in reversed(self._layers):
            self._own.add(layer)
        grid.stride, grid.spacing = -1, 0.02
        self._on_ndisplay()
        grid.enabled = True
        self._viewer.dims.events.ndisplay.connect(self._on_ndisplay)
        grid.events.enabled.connect(self._on_grid)
        # napari frames a choice of layers only where they have all the axes there are
        whole = self._source.ndim == self._viewer.dims.ndim
        self._viewer.fit_to_view(layers=self._layers if whole else None)
        self._start(requests, known)

    def leave(self) -> None:
        """End the work, remove the nine, and restore grid and camera."""
        self._quit()
        before, self._before = self._before, None
        layers, self._layers = self._layers, []
        if before is None:
            return
        grid, camera = self._viewer.canvas.grid, self._viewer.scene.camera
        grid.events.enabled.disconnect(self._on_grid)
        self._viewer.dims.events.ndisplay.disconnect(self._on_ndisplay)
        grid.enabled = before["enabled"]
        for layer in layers:
            self._own.drop(layer)
        for name in _GRID:
            setattr(grid, name, before[name])
        for name in _CAMERA:
            setattr(camera, name, before[name])

    def tidy(self) -> None:
        """Leave where the source or all of the nine were removed."""
        layers = self._viewer.layers
        there = self._source in layers and any(own in layers for own in self._layers)
        if self.active and not there:
            self.leave()

    def _on_grid(self, event: Any) -> None:
        """The user switched the grid off."""
        self.leave()

    def _on_ndisplay(self, event: Any = None) -> None:
        flat = self._viewer.dims.ndisplay == 2
        self._viewer.canvas.grid.shape = (3, 3) if flat else (-1, 3)

    def _start(self, requests: Sequence[Request], known: Sequence[Outcome | None]) -> None:
        self._run += 1
        self._worker = create_worker(
            _in_sequence,
            self._run,
            self._generate or _own_desk(),
            requests,
            known,
            _start_thread=False,
        )
        self._worker.yielded.connect(self._on_news)
        self.said.emit(f"0 of {len(requests)} seeds")
        self.ran.emit(True)
        self._worker.start()

    def _quit(self) -> None:
        if self._worker is not None:
            self._worker.quit()
            self._worker = None
            self.ran.emit(False)

    def _on_news(self, news: _News) -> None:
        if self._worker is None or news.run != self._run:
            return
        if news.place is None:
            self._quit()
        elif isinstance(news.answer, Failure):
            self.said.emit(news.answer.message)
            self._quit()
        elif news.answer is not None:
            self._fill(self._layers[news.place], news.answer)
            self.said.emit(f"{news.place + 1} of {len(self._layers)} seeds")
            self.made.emit(news.answer)

    def _fill(self, layer: Image, outcome: Outcome) -> None:
        layer.data = values(outcome)
        layer.contrast_limits = outcome.request.source.contrast_limits
        layer.name = layer.name.replace(_WAITING, "", 1)


def requests_for(request: Request) -> list[Request]:
    """The same request for nine seeds from its own one on."""
    first = min(request.options.seed, _HIGHEST - SEEDS + 1)
    return [
        replace(request, options=request.options.model_copy(update={"seed": first + more}))
        for more in range(SEEDS)
    ]


def _waiting(request: Request) -> Image:
    options = request.options
    name = passing_name(f"S{options.seed} L{options.level}{_WAITING}")
    layer = picture_layer(request.source, request.snapshot.image, name, "seed")
    layer.name_overlay.visible = True
    return layer


def _own_desk() -> Generate:
    """Runs that share nothing with those of a window: no arrays that are on view, no memory."""
    from napari_drdm.desk import Desk

    desk = Desk(limit=0)
    return lambda request: desk.run(request, Viewed())


def _in_sequence(
    run: int,
    generate: Generate,
    requests: Sequence[Request],
    known: Sequence[Outcome | None],
) -> Iterator[_News]:
    """In a worker: one request after the other; ends between any two steps when it is quit."""
    snapshot = requests[0].snapshot.copied()
    for place, (request, held) in enumerate(zip(requests, known, strict=True)):
        if held is not None and _same(held, snapshot):
            yield _News(run, place, held)
            continue
        for value in _without_raising(generate(replace(request, snapshot=snapshot))):
            if isinstance(value, Outcome):
                yield _News(run, place, replace(value, request=request))
            else:
                yield _News(run, place, value if isinstance(value, Failure) else None)
    yield _News(run)


def _without_raising(work: Iterator[Any]) -> Iterator[Any]:
    try:
        yield from work
    except Exception as error:
        _log.exception("a seed failed", exc_info=error)
        yield Failure(said(error))


def _same(held: Outcome, snapshot: Snapshot) -> bool:
    """Whether a result was made of these very values."""
    source, back = held.result.source, held.layer_case.back
    before = held.request.snapshot
    if snapshot.extras or before.extras or before.spacing != snapshot.spacing:
        return False
    if bool(source.labels) != (snapshot.labels is not None):
        return False
    labels = not source.labels or np.array_equal(back(source.labels[0].data), snapshot.labels)
    return labels and np.array_equal(back(shown(source.images[0])), snapshot.image)
