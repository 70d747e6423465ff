"""Level and seed at the tip of a slider: a glance at once, then the run; and moments of it.

What comes of a request that is not the present one any more is dropped.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from qtpy.QtCore import QObject, QTimer, Signal

from napari_drdm.explorer.visible_part import part_on_view
from napari_drdm.messages import error_line
from napari_drdm.overlays.build import FIELDS
from napari_drdm.runs.moments import of_outcome
from src_core.errors import DRDMError

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.components import ViewerModel

    from napari_drdm.explorer.form import ExplorerForm
    from napari_drdm.explorer.result_layers import ResultLayers
    from napari_drdm.runs.moments import Look
    from napari_drdm.runs.requests import Outcome, Progress, Request
    from napari_drdm.runs.runner import Runner

__all__ = ["Live"]

#: How long the form has to rest before a run begins, ms, by dimension of the model.
_REST_MS = {2: 20, 3: 300}
#: Seconds between looks at a run under way, at least and at most; and between news of it. What is
#: over sooner is not interrupted: where there is no GPU, every repaint holds the work up.
_PACES = (0.3, 15.0)
_SHARE = 6
_BETWEEN_NEWS = 0.5


class Live(QObject):
    """Turns the form's changes into glances and runs, and shows what comes of them.

    ``shown(Look)``: something new is on view; ``failed(str)``: why there is nothing.

    Args:
        viewer: that is looked at.
        form: whose slider is moved.
        results: what shows looks.
        runner: what computes them.
        ask: gives the present request, or raises a DRDMError.
    """

    shown = Signal(object)
    failed = Signal(str)

    def __init__(
        self,
        viewer: ViewerModel,
        form: ExplorerForm,
        results: ResultLayers,
        runner: Runner,
        ask: Callable[[], Request],
    ) -> None:
        super().__init__(form)
        self._viewer, self._form, self._results = viewer, form, results
        self._runner, self._ask = runner, ask
        self.request: Request | None = None
        self._told = 0.0
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._start)
        runner.looked.connect(self._on_look)
        runner.finished.connect(self._on_outcome)
        runner.progressed.connect(self._on_progress)
        form.recovery.moved.connect(self._on_scrub)
        form.recovery.hold = lambda: runner.glancing

    @property
    def waiting(self) -> bool:
        """Whether a run is about to begin."""
        return self._timer.isActive()

    def change(self) -> None:
        """The form has changed: show its random field at once, its result as it comes."""
        if not self._form.options.live.isChecked() or not self._take():
            return
        assert self.request is not None
        self._runner.supersede()
        self._runner.glance(self.request)
        model = self._form.sources.model.value()
        self._timer.start(_REST_MS[model.spec.ndim])

    def generate(self) -> None:
        """Run what the form says, now."""
        self._timer.stop()
        if self._take():
            self._start()

    def again(self, request: Request) -> None:
        """Run a request that the form had before."""
        self._timer.stop()
        self.request = request
        self._start()

    def take(self, outcome: Outcome) -> None:
        """Show a result that is there already, as the present one."""
        self._timer.stop()
        self._runner.stop()
        self.request = outcome.request
        trace = self._runner.desk.trace(outcome)
        self._form.recovery.show_run(trace)
        self._show(of_outcome(outcome, trace))

    def cancel(self) -> None:
        """End the run after its present step."""
        self._timer.stop()
        self._runner.cancel()

    def see(self) -> None:
        """The viewer or the ticks have changed: make what is on view whole."""
        before = self._runner.viewed.part
        self.look_around()
        look = self._present()
        if look is None or self._runner.busy:
            return
        stale = look.part is not None and self._runner.viewed.part != before
        lacking = self._runner.viewed.field and look.displacement is None and look.trace
        if (stale or lacking) and self.request is not None:
            self._again_at(look)

    def look_around(self) -> None:
        """Tell those who compute what is on view."""
        viewed, source = self._runner.viewed, self._form.sources.image.value()
        if source is not None and source in self._viewer.layers:
            viewed.part = part_on_view(self._viewer, source)
        viewed.field = bool(self._form.show_panel.kinds() & set(FIELDS))

    def _take(self) -> bool:
        try:
            self.request = self._ask()
        except DRDMError as error:
            self.failed.emit(error_line(error))
            return False
        self.look_around()
        return True

    def _start(self) -> None:
        if self.request is not None:
            self._told = time.perf_counter()
            self._runner.start(self.request)

    def _again_at(self, look: Look) -> None:
        assert self.request is not None
        if look.trace is None:
            self._runner.glance(self.request)
        else:
            self._runner.moment(self.request, look.position)

    def _present(self) -> Look | None:
        """What is shown of the present request."""
        look = self._results.look(self._form.sources.image.value())
        current = look is not None and self.request is not None
        return look if current and look.request.serial == self.request.serial else None

    def _on_look(self, look: Look) -> None:
        if self.request is None or look.request.serial != self.request.serial:
            return
        shown = self._present()
        recovery = self._form.recovery
        if look.trace is None and shown is not None and shown.position > look.position:
            return  # a glance that comes late
        if look.trace is None:
            recovery.follow(look.position, look.total)
        elif shown is None or shown.trace is not look.trace:
            recovery.show_run(look.trace)
        elif look.outcome is not None and not recovery.at_end:
            self._results.keep(look.outcome)
            return
        self._show(look)

    def _show(self, look: Look) -> None:
        source = look.request.source
        if source not in self._viewer.layers:
            return
        panel, begun = self._form.show_panel, time.perf_counter()
        self._results.show(look, panel.kinds(), panel.drawing())
        QTimer.singleShot(0, lambda: self._pace(time.perf_counter() - begun))
        if look.trace is not None and look.numbers is not None:
            self._form.recovery.show_numbers(look.numbers)
        self.shown.emit(look)

    def _pace(self, drawing: float) -> None:
        """Looks at a run under way come so seldom that they hold it up by a sixth at most."""
        low, high = _PACES
        self._runner.viewed.pause = min(max(_SHARE * drawing, low), high)

    def _on_outcome(self, outcome: Outcome) -> None:
        if self.request is not None and outcome.request.serial == self.request.serial:
            source = outcome.request.source
            if source not in self._viewer.layers:
                self.failed.emit("the image was removed before its result was there")

    def _on_progress(self, progress: Progress) -> None:
        now = time.perf_counter()
        if now - self._told < _BETWEEN_NEWS:
            return
        self._told = now
        self._form.run_bar.show_step(
            progress.index, progress.total, progress.device, progress.doing
        )

    def _on_scrub(self, position: float) -> None:
        if self.request is not None:
            self.look_around()
            self._runner.moment(self.request, position)

    def close(self) -> None:
        """Nothing more is started."""
        self._timer.stop()

    def turn_to(self, look: Look | None) -> None:
        """Another source or model, of which this is shown; what runs for the last one ends."""
        self._timer.stop()
        self._runner.stop()
        self.request = look.request if look else None
        self._form.recovery.show_run(look.trace if look else None)
