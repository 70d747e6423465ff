"""Level and seed by a slider: a preview at once, then the run; and moments of it.

What comes of a request that is no longer the current one is dropped.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from qtpy.QtCore import QObject, QTimer, Signal

from napari_drdm.explorer.visible_part import part_on_view
from napari_drdm.messages import error_line
from napari_drdm.overlays.kinds import field_needed
from napari_drdm.runs.moments import moment_of_outcome
from src_core.errors import DRDMError

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.components import ViewerModel

    from napari_drdm.explorer.form import ExplorerForm
    from napari_drdm.explorer.result_layers import ResultLayers
    from napari_drdm.runs.moments import Moment
    from napari_drdm.runs.requests import RunOutcome, RunProgress, RunRequest
    from napari_drdm.runs.runner import Runner

__all__ = ["LivePreview"]

#: How long the form has to rest before a run begins, ms, by dimension of the model; longer while
#: changes follow each other, as in a drag, where a run would only slow the previews.
_REST_MS = {2: 15, 3: 300}
_REST_IN_A_DRAG_MS = 80
_DRAG_SECONDS = 0.25
#: Seconds between moments of a run under way, at least and at most. A shorter run shows none:
#: without a GPU every repaint slows the computation.
_PACES = (0.3, 15.0)
_SHARE = 6
#: The slider is drawn together with its picture, since each drawing costs the whole window; after
#: this many ms without a picture it is drawn alone.
_TOGETHER_MS = 80


class LivePreview(QObject):
    """Turns the form's changes into previews and runs, and shows what comes of them.

    ``shown(Moment)``: something new is on view; ``failed(str)``: why there is nothing.

    Args:
        viewer: whose view is followed.
        form: whose slider is moved.
        results: what shows moments.
        runner: what computes them.
        ask: gives the current request, or raises a DRDMError.
    """

    shown = Signal(object)
    failed = Signal(str)

    def __init__(
        self,
        viewer: ViewerModel,
        form: ExplorerForm,
        results: ResultLayers,
        runner: Runner,
        ask: Callable[[], RunRequest],
    ) -> None:
        super().__init__(form)
        self._viewer, self._form, self._results = viewer, form, results
        self._runner, self._ask = runner, ask
        self.request: RunRequest | None = None
        self._oldest: int | None = (
            None  # request that may still be shown, by serial; None: the next
        )
        self._changed = 0.0
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._start)
        self._alone = QTimer(self)
        self._alone.setSingleShot(True)
        self._alone.timeout.connect(self._draw_form)
        runner.moment_ready.connect(self._on_moment)
        runner.finished.connect(self._on_outcome)
        runner.progressed.connect(self._on_progress)
        form.recovery.moved.connect(self._on_scrub)
        form.recovery.hold = lambda: runner.previewing

    @property
    def waiting(self) -> bool:
        """Whether a run is about to begin."""
        return self._timer.isActive()

    def change(self) -> None:
        """The form has changed: show its random field at once, its result as it comes."""
        if self._form.options.live.isChecked() and self._preview():
            self._timer.start(self._rest())

    def pull(self) -> None:
        """A point is dragged: show what it does at once; the run begins when it is let go."""
        self._timer.stop()
        self._preview()

    def _preview(self) -> bool:
        """Show what the form asks for as far as that is quick; False where it cannot be run."""
        before = self.request
        if not self._take():
            return False
        assert self.request is not None
        if before is None or not before.same_random_field(self.request):
            self._runner.supersede()
            self._runner.preview(self.request, self._base())
            self._form.options.setUpdatesEnabled(False)
            if not self._alone.isActive():
                self._alone.start(_TOGETHER_MS)
        return True

    def _base(self) -> RunOutcome | None:
        """The latest result, where it differs from what is asked for in targets alone."""
        outcome = self._results.outcome(self._form.sources.image.value())
        if outcome is None or self.request is None or not self.request.options.targets:
            return None
        return outcome if outcome.request.same_but_targets(self.request) else None

    def generate(self) -> None:
        """Run what the form says, now."""
        self._timer.stop()
        if self._take():
            self._start_alone()

    def again(self, request: RunRequest) -> None:
        """Run a request that the form had before."""
        self._timer.stop()
        self.request = request
        self._start_alone()

    def take(self, outcome: RunOutcome) -> None:
        """Show a result that exists already as the current one."""
        self._timer.stop()
        self._runner.stop()
        self.request = outcome.request
        self._oldest = outcome.request.serial
        trace = self._runner.compute.trace(outcome)
        self._form.recovery.show_run(trace)
        self._show(moment_of_outcome(outcome, trace))

    def cancel(self) -> None:
        """End the run after its current step."""
        self._timer.stop()
        self._runner.cancel()

    def see(self) -> None:
        """The view or the ticks have changed: compute what is missing on view."""
        before = self._runner.viewed.part
        self.look_around()
        moment = self._current()
        if moment is None or self._runner.busy:
            return
        stale = moment.part is not None and self._runner.viewed.part != before
        lacking = self._runner.viewed.field and moment.displacement is None and moment.trace
        if (stale or lacking) and self.request is not None:
            self._again_at(moment)

    def look_around(self) -> None:
        """Pass on what is on view to the computation."""
        viewed, source = self._runner.viewed, self._form.sources.image.value()
        if source is not None and source in self._viewer.layers:
            viewed.part = part_on_view(self._viewer, source)
        viewed.field = field_needed(self._form.show_panel.kinds())

    def _take(self) -> bool:
        try:
            self.request = self._ask()
        except DRDMError as error:
            self.failed.emit(error_line(error))
            return False
        self._oldest = self.request.serial if self._oldest is None else self._oldest
        self.look_around()
        return True

    def _rest(self) -> int:
        """How long the form has to rest from now on, ms."""
        now, before = time.perf_counter(), self._changed
        self._changed = now
        rest = _REST_MS[self._form.sources.model.value().spec.ndim]
        return max(rest, _REST_IN_A_DRAG_MS) if now - before < _DRAG_SECONDS else rest

    def _draw_form(self) -> None:
        self._alone.stop()
        self._form.options.setUpdatesEnabled(True)

    def _start(self) -> None:
        """Run the current request, after the picture of the run that is under way."""
        if self.request is not None:
            self._runner.start(self.request, after_picture=True)

    def _start_alone(self) -> None:
        """Run the current request, and show nothing more of those before it."""
        assert self.request is not None
        self._oldest = self.request.serial
        self._runner.start(self.request)

    def _again_at(self, moment: Moment) -> None:
        assert self.request is not None
        if moment.trace is None:
            self._runner.preview(self.request, self._base())
        else:
            self._runner.at_position(self.request, moment.position)

    def _current(self) -> Moment | None:
        """What is shown of the current request."""
        return self._shown_of(self.request)

    def _shown_of(self, request: RunRequest | None) -> Moment | None:
        """What is shown of a request, None where another is on view."""
        moment = self._results.moment(self._form.sources.image.value())
        if moment is None or request is None:
            return None
        return moment if moment.request.serial == request.serial else None

    def _may_show(self, moment: Moment) -> bool:
        """Whether a moment is of the current request, or of a drag and newer than what is shown."""
        if self.request is None:
            return False
        serial = moment.request.serial
        in_a_drag = self._oldest is not None and serial >= self._oldest
        return in_a_drag or serial == self.request.serial

    def _on_moment(self, moment: Moment) -> None:
        if not self._may_show(moment):
            return
        self._oldest = moment.request.serial
        shown = self._shown_of(moment.request)
        recovery = self._form.recovery
        if moment.trace is None and shown is not None and shown.position > moment.position:
            return  # a preview that comes late
        if moment.trace is None:
            recovery.follow(moment.position, moment.total)
        elif shown is None or shown.trace is not moment.trace:
            recovery.show_run(moment.trace)
        elif moment.outcome is not None and not recovery.at_end:
            self._results.keep(moment.outcome)
            return
        self._show(moment)

    def _show(self, moment: Moment) -> None:
        source = moment.request.source
        if source not in self._viewer.layers:
            return
        self._draw_form()
        panel, begun = self._form.show_panel, time.perf_counter()
        self._results.show(moment, panel.kinds(), panel.drawing())
        QTimer.singleShot(0, lambda: self._pace(time.perf_counter() - begun))
        if moment.trace is not None and moment.numbers is not None:
            self._form.recovery.show_numbers(moment.numbers)
        self.shown.emit(moment)

    def _pace(self, drawing: float) -> None:
        """Show moments of a run so seldom that drawing takes a sixth of its time at most."""
        low, high = _PACES
        self._runner.viewed.pause = min(max(_SHARE * drawing, low), high)

    def _on_outcome(self, outcome: RunOutcome) -> None:
        if self.request is not None and outcome.request.serial == self.request.serial:
            source = outcome.request.source
            if source not in self._viewer.layers:
                self.failed.emit("the image was removed before its result was ready")

    def _on_progress(self, progress: RunProgress) -> None:
        self._form.run_bar.show_step(
            progress.index, progress.total, progress.device, progress.doing, progress.left
        )

    def _on_scrub(self, position: float) -> None:
        if self.request is not None:
            self.look_around()
            self._runner.at_position(self.request, position)

    def close(self) -> None:
        """Nothing more is started."""
        self._timer.stop()
        self._alone.stop()

    def turn_to(self, moment: Moment | None) -> None:
        """Another source or model, with what is shown of it; a run for the last one ends."""
        self._timer.stop()
        self._runner.stop()
        self.request = moment.request if moment else None
        self._oldest = None
        self._form.recovery.show_run(moment.trace if moment else None)
