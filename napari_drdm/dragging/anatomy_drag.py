"""The mode in which points of the picture are pulled and held; knows nothing of computations."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from napari.layers import Layer
from qtpy.QtCore import QObject, Qt, QTimer, Signal
from qtpy.QtGui import QKeySequence
from qtpy.QtWidgets import QShortcut

from napari_drdm.dragging.canvas import CanvasAccess, canvas_of
from napari_drdm.dragging.marks import Mark, PullMarks
from napari_drdm.dragging.mouse import PullMouse
from napari_drdm.dragging.picture import DraggedPicture
from napari_drdm.dragging.pulls import Pull, PullHistory

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_drdm.dragging.pulls import Place
    from napari_drdm.runs.moments import Moment
    from napari_drdm.runs.requests import RunOutcome

__all__ = ["AnatomyDrag"]

#: Marks are drawn together with the picture that follows them, since each drawing costs the whole
#: window; after this many ms without a picture they are drawn alone.
_TOGETHER_MS = 120


class AnatomyDrag(QObject):
    """Points of one image, their marks, and the mouse.

    ``pulled()``: points are elsewhere while the mouse moves; ``changed()``: there are others from
    now on; ``turned(bool)``: the mode is on or off; ``message(str)``: why not.

    Attributes:
        on: whether the mouse takes points.
        picture: that they are taken of.

    Args:
        viewer: whose canvas is used.
        moment: gives what is shown, or None.
        outcome: gives the latest result, or None.
    """

    pulled = Signal()
    changed = Signal()
    turned = Signal(bool)
    message = Signal(str)

    def __init__(
        self,
        viewer: ViewerModel,
        moment: Callable[[], Moment | None],
        outcome: Callable[[], RunOutcome | None],
    ) -> None:
        super().__init__()
        self._viewer, self.picture = viewer, DraggedPicture(viewer, moment, outcome)
        self._history = PullHistory()
        self._passing: tuple[Pull, ...] | None = None
        self._mouse = PullMouse(viewer, self)
        self._marks: PullMarks | None = None
        self._keys: list[QShortcut] = []
        self._active: Layer | None = None
        self._alone = QTimer(self)
        self._alone.setSingleShot(True)
        self._alone.timeout.connect(self.refresh)
        self.on = False
        dims, layers = viewer.dims.events, viewer.layers
        self._slots: tuple[tuple[Any, Callable[..., None]], ...] = (
            *((one, self._on_view) for one in (dims.current_step, dims.order, dims.ndisplay)),
            (viewer.scene.camera.events.zoom, self.refresh),
            (layers.selection.events.active, self._on_active),
        )
        for emitter, slot in self._slots:
            emitter.connect(slot)

    @property
    def pulls(self) -> tuple[Pull, ...]:
        """The points as they are shown: while the mouse moves, where it is."""
        return self._history.pulls if self._passing is None else self._passing

    @property
    def undoable(self) -> bool:
        """Whether a change can be taken back."""
        return self._history.undoable

    @property
    def dragging(self) -> bool:
        """Whether a point is being dragged."""
        return self._mouse.down

    @property
    def marks(self) -> tuple[Mark, ...]:
        """What is drawn on the canvas."""
        return () if self._marks is None else self._marks.shown

    def turn(self, on: bool) -> None:
        """Begin or end the mode; points stay, their marks go."""
        if on and self._viewer.dims.ndisplay != 2:
            self.message.emit("Anatomy is dragged in the 2D view: leave the 3D view first")
            self.turned.emit(False)
            return
        if on is self.on:
            return
        self.let_go()
        self.on = on
        self._mouse.listen(on)
        selection = self._viewer.layers.selection
        if on:
            self._begin(canvas_of(self._viewer))
            self._active, selection.active = selection.active, None  # nothing is painted
        else:
            self._end()
            if selection.active is None and self._active in self._viewer.layers:
                selection.active = self._active
        self.refresh()
        self.turned.emit(on)

    def undo(self) -> None:
        """Take back the last change; while dragging, let go."""
        if not self.let_go() and self._history.undo():
            self._renew()

    def clear(self) -> None:
        """Have no points; this can be undone."""
        self.let_go()
        self.have(())

    def place_pulls(self, pulls: tuple[Pull, ...]) -> None:
        """Have the points of a result, without a signal; the way back is kept."""
        self._mouse.let_go()
        self._passing = None
        if [(p.start, p.end) for p in pulls] != [(p.start, p.end) for p in self._history.pulls]:
            self._history.change(pulls)
        self.refresh()

    def forget(self) -> None:
        """Another image: no points, and no way back."""
        self._mouse.let_go()
        self._passing = None
        self._history.forget()
        self.refresh()

    def let_go(self) -> bool:
        """End a drag of the mouse without a change; False where there is none."""
        was = self._mouse.let_go()
        if was and self._passing is not None:
            self._passing = None
            self._renew()
        return was

    def close(self) -> None:
        """End the mode for good, and no longer listen to the viewer."""
        self.blockSignals(True)
        self._alone.stop()
        self._mouse.listen(False)
        self._end()
        for emitter, slot in self._slots:
            emitter.disconnect(slot)

    def ready(self) -> bool:
        """Whether there is a picture to take points of."""
        return self.picture.moment() is not None

    def place(self, position: tuple[float, ...]) -> Place | None:
        """A world position as LPS mm; None beside the image."""
        return self.picture.place(position)

    def nearest(self, position: tuple[float, ...]) -> tuple[int, float] | None:
        """The nearest mark on view and its distance, in world units."""
        return self.picture.nearest(self.pulls, position)

    def taken(self, place: Place) -> Pull:
        """The point of the anatomy that is seen at a place."""
        return self.picture.taken(place)

    def show(self, pulls: tuple[Pull, ...]) -> None:
        """Show points while the mouse moves."""
        self._passing = self.picture.in_slices(pulls)
        if not self._alone.isActive():
            self._alone.start(_TOGETHER_MS)
        self.pulled.emit()

    def have(self, pulls: tuple[Pull, ...]) -> None:
        """Have these points from now on."""
        self._passing = None
        if self._history.change(self.picture.in_slices(pulls)):
            self._renew()

    def refresh(self, event: Any = None) -> None:
        """Draw the marks where the view has them now."""
        self._alone.stop()
        if self._marks is not None:
            marks = self.picture.marks(self.pulls) if self.on else ()
            self._marks.show(marks, 1 / self._viewer.scene.camera.zoom)

    def _renew(self) -> None:
        self.refresh()
        self.changed.emit()

    def _begin(self, canvas: CanvasAccess | None) -> None:
        self._marks = PullMarks(canvas)
        if canvas is None:
            return
        for keys, slot in (("Ctrl+Z", self.undo), ("Esc", self._on_escape)):
            key = QShortcut(QKeySequence(keys), canvas.widget)
            key.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            key.activated.connect(slot)
            self._keys.append(key)
        canvas.widget.setFocus()

    def _end(self) -> None:
        for key in self._keys:
            key.setEnabled(False)
            key.deleteLater()
        self._keys = []
        if self._marks is not None:
            self._marks.close()

    def _on_escape(self) -> None:
        if not self.let_go():
            self.turn(False)

    def _on_view(self, event: Any = None) -> None:
        if self.on and self._viewer.dims.ndisplay != 2:
            self.turn(False)
        self.refresh()

    def _on_active(self, event: Any = None) -> None:
        """The user chose a layer to paint or draw in."""
        active = self._viewer.layers.selection.active
        if self.on and active is not None and str(active.mode) != "pan_zoom":
            self.turn(False)
