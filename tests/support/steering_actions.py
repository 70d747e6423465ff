"""What a person may do about targets: set one, pull or hold a point, search for seeds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QPoint, Qt

from tests.support import canvas

if TYPE_CHECKING:
    from tests.support.person import Person

__all__ = ["drag_anatomy", "find_seeds", "set_target"]


def set_target(p: Person, n: int) -> None:
    """A label's size, thickness or hold; or all of it is reset."""
    panel = p.explorer.targets
    row = p.one(list(panel.rows.values()), n)
    if row is None or n % 7 == 0:
        p.click(panel.reset)
    elif n % 7 < 4:
        p.slide(row.factor.slider, n)
    elif n % 7 == 4 and row.wall is not None:
        p.slide(row.wall.slider, n)
    else:
        p.click(row.hold if n % 7 == 5 else row.factor.reset)


def drag_anatomy(p: Person, n: int) -> None:
    """A point is pulled, held, or taken back."""
    panel, image = p.explorer.targets, p.explorer.sources.image.value()
    if not panel.drag.isChecked():
        p.click(panel.drag)
    elif n % 5 == 0:
        p.click((panel.drag, panel.undo, panel.clear)[n // 5 % 3])
    elif image is not None and p.viewer.dims.ndisplay == 2:
        middle = canvas.canvas(p.viewer).rect().center()
        start = middle + QPoint(n % 60 - 30, n // 60 % 60 - 30)
        end = start + QPoint(n % 17 - 8, n // 7 % 17 - 8)
        if n % 5 == 1:
            canvas.click(p.viewer, start, Qt.MouseButton.RightButton)
        else:
            canvas.drag(p.viewer, start, end, steps=3)


def find_seeds(p: Person, n: int) -> None:
    """A search for seeds begins or ends."""
    panel = p.explorer.distribution
    panel.wanted.setValue(1 + n % 3)
    panel.tries.setValue(1 + n % 5)
    p.click(panel.search)
