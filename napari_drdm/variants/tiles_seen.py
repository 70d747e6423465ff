"""Which of nine seeds the cursor is over, and the numbers of all of them in one line."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, Signal

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.components import ViewerModel

    from napari_drdm.runs.requests import RunOutcome

__all__ = ["TilesSeen", "summary_line"]


class TilesSeen(QObject):
    """Follows the cursor over nine tiles: ``seen(RunOutcome)`` of its tile, None when they go.

    Where it is over none, or over one that waits, that of the first tile, the form's own seed.

    Args:
        viewer: whose cursor it is.
    """

    seen = Signal(object)

    def __init__(self, viewer: ViewerModel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._outcomes: dict[int, RunOutcome] = {}
        self._place_at: Callable[[Any], int | None] = lambda _: None
        self._last: RunOutcome | None = None
        self._following = False

    @property
    def outcomes(self) -> tuple[RunOutcome, ...]:
        """Those that are finished, in no order."""
        return tuple(self._outcomes.values())

    def begin(self, place_at: Callable[[Any], int | None]) -> None:
        """Nine tiles come; ``place_at`` gives the tile at a place in the world, or None."""
        self.end()
        self._place_at, self._following = place_at, True
        self._viewer.cursor.events.position.connect(self._look)

    def add(self, place: int, outcome: RunOutcome) -> None:
        """A tile is finished."""
        self._outcomes[place] = outcome
        self._look()

    def end(self) -> None:
        """The tiles go."""
        if self._following:
            self._viewer.cursor.events.position.disconnect(self._look)
            self.seen.emit(None)
        self._outcomes, self._last, self._following = {}, None, False

    def _look(self, event: object = None) -> None:
        place = self._place_at(self._viewer.cursor.position)
        found = self._outcomes.get(0 if place is None else place, self._outcomes.get(0))
        if found is not None and found is not self._last:
            self._last = found
            self.seen.emit(found)


def summary_line(outcomes: Iterable[RunOutcome]) -> str:
    """``largest 3.1 to 7.9 mm, det J ≥ 0.21``; nothing without results."""
    metrics = [outcome.result.metrics for outcome in outcomes]
    longest = sorted(m["max_mm"] for m in metrics if "max_mm" in m)
    smallest = [m["min_det"] for m in metrics if "min_det" in m]
    parts = [f"largest {longest[0]:.1f} to {longest[-1]:.1f} mm"] if longest else []
    parts += [f"det J ≥ {min(smallest):.2f}"] if smallest else []
    return ", ".join(parts)
