"""How strong the deformation will be, shown beside the level before a run begins."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, QTimer

from napari_drdm.layers.units import unit_of
from napari_drdm.runs.latest_only import LatestOnly
from src_core.cases.grid import Grid
from src_core.errors import DRDMError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from napari_drdm.explorer.form import ExplorerForm
    from napari_drdm.layers.cases import Snapshot
    from src_core.generation.strength import FieldStrength

__all__ = ["StrengthNote", "strength_text"]

_WAIT_MS = 250


class StrengthNote(QObject):
    """Measures the random field of the form's level and seed, and says how far it moves.

    Args:
        form: whose level and seed are read, and whose line below the level is written.
        snapshot: gives the chosen layers, or None.
        busy: whether a run is under way, whose result will say more.
    """

    def __init__(
        self,
        form: ExplorerForm,
        snapshot: Callable[[], Snapshot | None],
        busy: Callable[[], bool],
    ) -> None:
        super().__init__(form)
        self._form, self._snapshot, self._busy = form, snapshot, busy
        self._thread = LatestOnly(lambda _: "strength", parent=self)
        self._thread.came.connect(self._show)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_WAIT_MS)
        self._timer.timeout.connect(self.measure)
        form.options.changed.connect(self._timer.start)
        for choice in form.sources.choices:
            choice.chosen.connect(self._start_again)

    def measure(self) -> None:
        """Measure in the background; the newest measurement is shown."""
        if self._busy():
            return
        form, entry = self._form, self._form.sources.model.value()
        try:
            taken = self._snapshot()
        except DRDMError:
            taken = None
        if taken is None or entry is None:
            form.options.set_strength("")
            return
        grid, options = Grid.from_spacing(taken.shape, taken.spacing), form.options.values()
        seeds = [options["seed"]] + ([0] if form.more.values()["slices"] == "each" else [])
        unit = unit_of(form.sources.image.value()).name
        self._thread.submit(partial(_measured, entry.spec, grid, options["level"], seeds, unit))

    def _start_again(self, _: Any) -> None:
        """Nothing is known of the layers and model that are chosen now."""
        self._thread.stop()
        self._form.options.forget_reach()
        self._timer.start()

    def _show(self, text: str) -> None:
        self._form.options.set_strength(text)


def strength_text(found: FieldStrength, unit: str) -> str:
    """The line below the level."""
    if not found.most_mm:
        return "0 is the image itself"
    return f"random field: mean {found.mean_mm:.1f}, 95 % < {found.most_mm:.1f} {unit}"


def _measured(spec: Any, grid: Grid, level: int, seeds: list[int], unit: str) -> Iterator[str]:
    """In another thread: the text; nothing where image and model do not fit."""
    from src_core.generation.strength import field_strength

    if spec.ndim == 3 and min(grid.shape) < 2:
        yield ""
    else:
        yield strength_text(
            field_strength(spec, grid, min(level, spec.schedule.levels), seeds), unit
        )
