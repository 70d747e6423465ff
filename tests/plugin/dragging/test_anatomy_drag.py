"""Points that are pulled and held by the mouse on the canvas, and their marks; nothing computed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("qtpy.QtWidgets", reason="no Qt binding is installed", exc_type=ImportError)

from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from napari_drdm.dragging.anatomy_drag import AnatomyDrag
from napari_drdm.dragging.places import lps_of
from tests.support import canvas as mouse

SHAPE, SCALE = (5, 40, 52), (6.0, 1.2, 1.5)
RIGHT, SHIFT = Qt.MouseButton.RightButton, Qt.KeyboardModifier.ShiftModifier
MOVED = np.array([3.0, -2.0, 0.0])  # voxels along X, Y, Z: new(x) = source(x + MOVED)


class Scene:
    """A window with a volume on view, its middle slice, and what is asked of the drag."""

    def __init__(self, viewer: Any, moment_of: Any) -> None:
        noise = np.random.default_rng(0).integers(0, 200, SHAPE).astype(np.int16)
        self.viewer, self.image = viewer, viewer.add_image(noise, scale=SCALE)
        viewer.dims.set_current_step(0, 2)
        self.shown = moment_of(self.image, lambda at: np.broadcast_to(MOVED, at.shape))
        self.drag = AnatomyDrag(viewer, lambda: self.shown, lambda: None)
        self.pulled: list[Any] = []
        self.changed: list[Any] = []
        self.turned: list[bool] = []
        self.drag.pulled.connect(lambda: self.pulled.append(self.drag.pulls))
        self.drag.changed.connect(lambda: self.changed.append(self.drag.pulls))
        self.drag.turned.connect(self.turned.append)
        viewer.window._qt_window.activateWindow()
        QTest.qWait(200)
        self.drag.turn(True)

    def at(self, y: float, x: float) -> Any:
        return mouse.point(self.viewer, self.image, (2, y, x))

    def pull(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        mouse.drag(self.viewer, self.at(*start), self.at(*end))

    def lps(self, x: float, y: float, z: float = 2) -> np.ndarray:
        return np.array(lps_of(self.shown.layer_case.case.grid, (x, y, z)))


@pytest.fixture
def scene(make_napari_viewer, moment_of):
    made = Scene(make_napari_viewer(show=True), moment_of)
    yield made
    made.drag.close()


def near(place, voxel, scene, mm=0.6) -> bool:
    return bool(np.linalg.norm(np.array(place) - scene.lps(*voxel)) < mm)


def test_a_pull_goes_from_where_the_tissue_came_from_to_where_the_mouse_is(scene):
    camera = tuple(scene.viewer.scene.camera.center)
    scene.pull((20, 20), (26, 30))
    (pull,) = scene.drag.pulls
    assert near(pull.seen, (20, 20), scene) and near(pull.end, (30, 26), scene)
    assert np.allclose(np.subtract(pull.start, pull.seen), scene.lps(3, -2, 0) - scene.lps(0, 0, 0))
    assert len(scene.pulled) >= 3 and scene.changed == [scene.drag.pulls]
    ends = [pulls[0].end[0] for pulls in scene.pulled]
    assert ends == sorted(ends) or ends == sorted(ends, reverse=True)
    assert tuple(scene.viewer.scene.camera.center) == camera and not pull.held
    (mark,) = scene.drag.marks
    assert mark.end == pytest.approx((30 * 1.5, 26 * 1.2), abs=0.6) and not mark.held
    assert scene.viewer.scene.camera.mouse_pan


def test_holding_removing_and_undoing(scene):
    mouse.click(scene.viewer, scene.at(10, 10), RIGHT)
    mouse.click(scene.viewer, scene.at(30, 40), modifier=SHIFT)
    assert [p.held for p in scene.drag.pulls] == [True, True]
    scene.pull((20, 20), (26, 30))
    assert [p.held for p in scene.drag.pulls] == [True, True, False]
    mouse.click(scene.viewer, scene.at(10, 10))  # a click removes
    assert [p.held for p in scene.drag.pulls] == [True, False]
    scene.pull((26, 30), (22, 24))  # a known point is taken again
    assert len(scene.drag.pulls) == 2 and near(scene.drag.pulls[1].end, (24, 22), scene)
    assert near(scene.drag.pulls[1].seen, (20, 20), scene)
    for count in (2, 3, 2, 1, 0):
        mouse.key(scene.viewer, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
        assert len(scene.drag.pulls) == count
    assert not scene.drag.undoable and len(scene.changed) == 10
    scene.drag.undo()
    assert len(scene.changed) == 10


def test_escape_while_dragging_lets_go_and_then_ends_the_mode(scene):
    scene.pull((10, 10), (14, 14))
    before = scene.drag.pulls
    start, end = scene.at(20, 20), scene.at(26, 30)
    mouse.press(scene.viewer, start)
    mouse.move(scene.viewer, start, end)
    assert scene.drag.dragging and len(scene.drag.pulls) == 2
    mouse.key(scene.viewer, Qt.Key.Key_Escape)
    assert scene.drag.pulls == before and scene.changed[-1] == before
    mouse.move(scene.viewer, end, start, steps=3)
    mouse.release(scene.viewer, start)
    assert scene.drag.pulls == before and not scene.drag.dragging and scene.drag.on
    mouse.key(scene.viewer, Qt.Key.Key_Escape)
    assert scene.turned == [True, False] and scene.drag.marks == ()
    scene.pull((20, 20), (26, 30))
    assert scene.drag.pulls == before


def test_a_click_or_a_press_beside_the_image_changes_nothing(scene):
    mouse.click(scene.viewer, scene.at(20, 20))
    scene.pull((-6, 20), (10, 20))
    assert scene.drag.pulls == () and scene.changed == []


def test_marks_are_on_their_slice_only(scene):
    scene.pull((20, 20), (26, 30))
    assert len(scene.drag.marks) == 1
    scene.viewer.dims.set_current_step(0, 4)
    assert scene.drag.marks == ()
    mouse.click(scene.viewer, scene.at(26, 30), RIGHT)  # nothing is under the mouse here
    assert len(scene.drag.pulls) == 2 and near(scene.drag.pulls[1].end, (30, 26, 4), scene)
    scene.viewer.dims.set_current_step(0, 2)
    assert [mark.held for mark in scene.drag.marks] == [False]


def test_the_canvas_shows_the_marks(scene):
    def bright() -> int:
        shot = scene.viewer.screenshot(canvas_only=True, flash=False)[..., :3].astype(int)
        return int((np.abs(shot - (255, 159, 28)).sum(-1) < 60).sum())

    above = scene.viewer.add_image(np.zeros(SHAPE), scale=SCALE)  # hides what is below
    assert bright() == 0 and above.opacity == 1
    scene.pull((20, 20), (26, 40))
    shown = bright()
    assert shown > 100
    scene.drag.turn(False)
    assert bright() == 0
    scene.drag.turn(True)
    assert bright() == shown


def test_other_axes_on_the_canvas(scene):
    scene.viewer.dims.order = (1, 0, 2)
    scene.viewer.dims.set_current_step(1, 20)
    QTest.qWait(400)  # other sliders: the canvas gets another height
    scene.viewer.reset_view()
    start, end = (mouse.point(scene.viewer, scene.image, v) for v in ((2, 20, 10), (3, 20, 20)))
    mouse.drag(scene.viewer, start, end)
    (pull,) = scene.drag.pulls
    assert near(pull.seen, (10, 20, 2), scene) and near(pull.end, (20, 20, 3), scene)


def test_the_3d_view_and_a_layer_to_paint_in_end_the_mode(scene):
    scene.viewer.dims.ndisplay = 3
    assert not scene.drag.on
    scene.drag.turn(True)
    assert not scene.drag.on and scene.turned == [True, False, False]
    scene.viewer.dims.ndisplay = 2
    labels = scene.viewer.add_labels(np.zeros(SHAPE, int), scale=SCALE)
    labels.mode = "paint"
    scene.drag.turn(True)
    scene.pull((20, 20), (26, 30))
    assert not labels.data.any() and len(scene.drag.pulls) == 1
    scene.viewer.layers.selection.active = labels
    assert not scene.drag.on


def test_no_layer_comes_or_goes(scene):
    before = list(scene.viewer.layers)
    scene.pull((20, 20), (26, 30))
    mouse.click(scene.viewer, scene.at(10, 10), RIGHT)
    assert list(scene.viewer.layers) == before


def test_without_a_window_there_are_points_and_no_marks_on_a_canvas(moment_of):
    from napari.components import ViewerModel

    viewer = ViewerModel()
    image = viewer.add_image(np.random.default_rng(0).random(SHAPE), scale=SCALE)
    shown = moment_of(image, np.zeros_like)
    drag = AnatomyDrag(viewer, lambda: shown, lambda: None)
    drag.turn(True)
    place = drag.place((12.0, 24.0, 30.0))
    drag.have((drag.taken(place),))
    assert drag.marks[0].held and drag.marks[0].end == pytest.approx((30.0, 24.0))
    drag.close()
