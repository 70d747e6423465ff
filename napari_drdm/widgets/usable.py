"""What every dock and dialog does for its users' hands, keyboards and screen readers."""

from __future__ import annotations

from qtpy.QtCore import QEvent, QObject, QTimer
from qtpy.QtWidgets import QWidget

from napari_drdm.widgets.focus_mark import FocusMark
from napari_drdm.widgets.spoken_names import name_controls
from napari_drdm.widgets.still_controls import WheelGuard, keep_still
from napari_drdm.widgets.tab_order import order_tabs

__all__ = ["UsablePanel"]

#: Milliseconds after which controls that came later are looked after too.
_LATER_MS = 100


class UsablePanel(QObject):
    """Keeps the controls of a panel still, named, in the order of Tab, and marked by the focus.

    Lives as long as the panel, and looks again whenever something in it was laid out.

    Args:
        panel: a dock's content, or a dialog.
    """

    def __init__(self, panel: QWidget) -> None:
        super().__init__(panel)
        self._panel, self._guard, self._count = panel, WheelGuard(self), -1
        self.mark = FocusMark(panel)
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.setInterval(_LATER_MS)
        self._later.timeout.connect(self.look_after)
        panel.installEventFilter(self)
        self.look_after()

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Look after what came since."""
        laid_out = event is not None and event.type() == QEvent.Type.LayoutRequest
        if laid_out and not self._later.isActive():
            self._later.start()
        return False

    @property
    def up_to_date(self) -> bool:
        """Whether all controls that there are were looked after."""
        return self._count == len(self._panel.findChildren(QWidget))

    def look_after(self) -> None:
        """All controls that there are now."""
        if self.up_to_date:
            return
        self._count = len(self._panel.findChildren(QWidget))
        keep_still(self._panel, self._guard)
        name_controls(self._panel)
        order_tabs(self._panel)
