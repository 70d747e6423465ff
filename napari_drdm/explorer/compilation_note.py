"""The line about a first compilation leaves the window once nothing is compiled any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QObject, QTimer

if TYPE_CHECKING:
    from napari_drdm.runs.runner import Runner
    from napari_drdm.widgets.run_bar import RunBar

__all__ = ["CompilationNote"]

_LOOK_MS = 400


class CompilationNote(QObject):
    """Replaces the line, where it still stands, by what to do next.

    Args:
        bar: where it stands.
        runner: reports it; while a run is under way, the run says what comes next.
    """

    def __init__(self, bar: RunBar, runner: Runner) -> None:
        super().__init__(bar)
        self._bar, self._runner = bar, runner
        self._timer = QTimer(self)
        self._timer.setInterval(_LOOK_MS)
        self._timer.timeout.connect(self._look)
        runner.message.connect(self._on_message)

    def _on_message(self, text: str) -> None:
        from src_core.fields.sampling import COMPILING  # torch is loaded by now

        if text == COMPILING:
            self._timer.start()

    def _look(self) -> None:
        from src_core.fields.sampling import COMPILING, compiling

        if compiling() or self._runner.busy or self._runner.previewing:
            return
        self._timer.stop()
        if self._bar.status.text() == COMPILING:
            self._bar.say("Press Generate for a new anatomy")
