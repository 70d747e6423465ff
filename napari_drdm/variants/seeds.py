"""Nine seeds of one level side by side, as one picture that is filled as they come."""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from napari.qt.threading import create_worker
from qtpy.QtCore import QObject, QTimer, Signal

from napari_drdm.runs.moments import Moment
from napari_drdm.runs.requests import Failure, RunOutcome
from napari_drdm.variants.layers import OwnLayers, label_values, values
from napari_drdm.variants.seed_layers import SeedLayers
from napari_drdm.variants.sequence import Generate, SeedUpdate, in_sequence, separate_compute
from napari_drdm.variants.tiles_seen import TilesSeen, summary_line

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer
    from numpy.typing import NDArray

    from napari_drdm.runs.requests import RunRequest

__all__ = ["SEEDS", "SeedGrid", "requests_for"]

#: Seeds side by side.
SEEDS = 9
_CAMERA = ("center", "zoom")
_HIGHEST = 2**31 - 1
#: Milliseconds in which the window is drawn.
_DRAWN = 50


class SeedGrid(QObject):
    """Shows nine seeds, and leaves the viewer as it was.

    ``made(RunOutcome)``: a seed is finished; ``message(str)``: how it goes; ``ran(bool)``: work
    begins, or none is left.

    Attributes:
        tiles: the one under the cursor.

    Args:
        viewer: where they are shown.
        own: keeps their layers.
        generate: runs a request; called in a worker. None: with memory of
            its own, for as long as the work takes.
    """

    made = Signal(object)
    message = Signal(str)
    ran = Signal(bool)

    def __init__(self, viewer: ViewerModel, own: OwnLayers, generate: Generate | None) -> None:
        super().__init__()
        self._viewer, self._own, self._generate = viewer, own, generate
        self.tiles = TilesSeen(viewer, self)
        self._layers: SeedLayers | None = None
        self._filled: set[int] = set()
        self._source: Any = None
        self._worker: Any = None
        self._run = 0
        self._before: dict[str, Any] = {}
        self._going: list[Layer] = []
        self._waiting: list[Layer] = []
        self._begin: Callable[[], None] | None = None
        self._spared = False
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.timeout.connect(self._add_next)
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.timeout.connect(self._drop_next)

    @property
    def active(self) -> bool:
        """Whether the viewer shows nine seeds."""
        return self._layers is not None

    @property
    def busy(self) -> bool:
        """Whether seeds are computed."""
        return self._worker is not None or self._begin is not None

    @property
    def pictures(self) -> int:
        """How many tiles show a seed."""
        return len(self._filled)

    def enter(
        self,
        requests: Sequence[RunRequest],
        known: Sequence[RunOutcome | None],
        labels: bool = True,
    ) -> None:
        """Show nine grey tiles, and each seed as it comes; known ones at once.

        Args:
            requests: one for each tile.
            known: their results, where they are known.
            labels: show the labels that go with them.
        """
        self.leave()
        self._remember_view()
        self._spare_old_objects()
        dims, self._source = self._viewer.dims, requests[0].source
        self._layers = SeedLayers(requests, dims, labels)
        self._filled, self._waiting = set(), self._layers.layers
        self._viewer.canvas.grid.enabled = False
        self.tiles.begin(self._layers.place_at)
        self._begin = partial(self._start, requests, known)
        self._soon.start(0)
        for emitter in (dims.events.ndisplay, dims.events.order):
            emitter.connect(self._on_view)
        self.message.emit(f"0 of {len(requests)} seeds")
        self.ran.emit(True)

    def leave(self) -> None:
        """End the work, remove the picture, and restore grid and camera."""
        self._end()
        while self._going:
            self._drop_next()

    def _end(self) -> None:
        """End the work; the picture's layers are to go."""
        self._quit()
        self._soon.stop()
        gone, self._layers = self._layers, None
        if gone is None:
            return
        self.tiles.end()
        for emitter in (self._viewer.dims.events.ndisplay, self._viewer.dims.events.order):
            emitter.disconnect(self._on_view)
        self._going = list(reversed(gone.layers))

    def _drop_next(self) -> None:
        """Remove one layer, the next once the window has been drawn; then restore the view."""
        if not self._going:
            return
        self._own.drop(self._going.pop(0))
        if self._going:
            self._later.start(_DRAWN)
            return
        if self._spared:
            gc.unfreeze()
        self._viewer.canvas.grid.enabled = self._before.pop("grid")
        for name, value in self._before.items():
            setattr(self._viewer.scene.camera, name, value)

    def tidy(self) -> None:
        """Leave where the source or the picture was removed; its labels may go alone.

        Not at once: a draw after layers of labels have gone in one turn crashes the display.
        """
        seeds, layers = self._layers, self._viewer.layers
        if seeds is None:
            return
        gone = [x for x in seeds.layers if x not in layers and x not in self._waiting]
        if self._source not in layers or seeds.image in gone:
            self._end()
            self._later.start(_DRAWN)
        elif seeds.labels in gone:
            seeds.labels = None

    def _remember_view(self) -> None:
        camera = self._viewer.scene.camera
        self._before = {name: getattr(camera, name) for name in _CAMERA}
        self._before["grid"] = self._viewer.canvas.grid.enabled

    def _spare_old_objects(self) -> None:
        """Let garbage collections pass over all that is there already, until the picture goes.

        napari collects all garbage when a layer is removed, which takes 0.4 s in a process with
        torch; what belongs to the picture alone takes a tenth of it.
        """
        self._spared = gc.get_freeze_count() == 0
        if self._spared:
            gc.freeze()

    def _add_next(self) -> None:
        """Add one layer, the next once the window has been drawn; then begin to compute."""
        begin = self._begin
        if self._source not in self._viewer.layers:
            self.leave()
        elif self._waiting:
            self._own.add(self._waiting.pop(0))
            self._fit()
            self._soon.start(0)
        elif begin is not None:
            self._begin = None
            begin()

    def _fit(self) -> None:
        if self._layers is None or self._layers.image not in self._viewer.layers:
            return
        # napari frames a choice of layers only where they have all the axes there are
        whole = self._source.ndim == self._viewer.dims.ndim
        self._viewer.fit_to_view(layers=[self._layers.image] if whole else None)

    def _on_view(self, event: Any = None) -> None:
        if self._layers is not None:
            self._layers.turn(self._viewer.dims)
            self._fit()

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
        self._worker.start()

    def _quit(self) -> None:
        if not self.busy:
            return
        if self._worker is not None:
            self._worker.quit()
        self._worker = self._begin = None
        self.ran.emit(False)

    def _on_news(self, news: SeedUpdate) -> None:
        if self._worker is None or news.run != self._run:
            return
        if news.place is None:
            self._quit()
        elif isinstance(news.answer, Failure):
            self.message.emit(news.answer.message)
            self._quit()
        elif isinstance(news.answer, Moment):
            self._fill(news.place, news.answer.images[0], (*news.answer.labels, None)[0])
        elif news.answer is not None:
            self.tiles.add(news.place, news.answer)
            if news.place not in self._filled:
                self._fill(news.place, values(news.answer), label_values(news.answer))
            self._report()
            self.made.emit(news.answer)

    def _fill(self, place: int, image: NDArray[Any], labels: NDArray[Any] | None) -> None:
        if self._layers is not None:
            self._layers.fill(place, image, labels)
            self._filled.add(place)
            self._report()

    def _report(self) -> None:
        numbers = summary_line(self.tiles.outcomes)
        count = f"{len(self._filled)} of {SEEDS} seeds"
        self.message.emit(f"{count}: {numbers}" if numbers else count)


def requests_for(request: RunRequest) -> list[RunRequest]:
    """The same request for nine seeds from its own one on."""
    first = min(request.options.seed, _HIGHEST - SEEDS + 1)
    return [
        replace(request, options=request.options.model_copy(update={"seed": first + more}))
        for more in range(SEEDS)
    ]
