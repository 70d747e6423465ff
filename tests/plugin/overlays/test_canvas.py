"""What the canvas shows, by the pixels of its screenshots: arrows, landmarks and the cursor."""

from __future__ import annotations

import time

import numpy as np
import pytest

pytest.importorskip("qtpy.QtWidgets", reason="no Qt binding is installed", exc_type=ImportError)

from qtpy.QtCore import QEvent, QPointF, Qt
from qtpy.QtGui import QMouseEvent
from qtpy.QtWidgets import QApplication
from scipy.ndimage import center_of_mass

from napari_drdm.explorer.readout import ReadoutController
from napari_drdm.explorer.readout_panel import ReadoutPanel
from napari_drdm.explorer.result_layers import ResultLayers
from napari_drdm.explorer.show_panel import ShowPanel
from napari_drdm.overlays import DrawingStyle
from napari_drdm.overlays.reading import place_under

pytestmark = [
    pytest.mark.filterwarnings("ignore:Non-orthogonal slicing"),
]

SHAPE, SCALE = (24, 60, 52), (3.0, 1.2, 1.5)


def bend(at: np.ndarray) -> np.ndarray:
    """A strong smooth field, voxels."""
    x, y, z = np.moveaxis(at, -1, 0)
    return np.stack([6 * np.sin(y / 16), 7 * np.cos(x / 15 + z / 9), 2.5 * np.sin(x / 13)], -1)


def landmark(place: np.ndarray) -> np.ndarray:
    """One bright blob at voxels (Z, Y, X), in the dark."""
    away = np.moveaxis(np.indices(SHAPE), 0, -1) - place
    return (1000 * np.exp(-((away / (0.8, 1.2, 1.2)) ** 2).sum(-1) / 2)).astype(np.int16)


def settle(seconds: float = 0.3) -> None:
    """Let the window take its final size."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        QApplication.processEvents()


def pixels(viewer) -> np.ndarray:
    QApplication.processEvents()
    return viewer.screenshot(canvas_only=True, flash=False)[..., :3].astype(float)


def only(viewer, layer) -> np.ndarray:
    """The canvas with one layer alone, over black."""
    before = {other: other.visible for other in viewer.layers}
    for other in viewer.layers:
        other.visible = other is layer
    taken = pixels(viewer)
    for other, visible in before.items():
        other.visible = visible
    return taken


def blob(picture: np.ndarray) -> np.ndarray:
    """Middle of what is brightest, (row, column)."""
    grey = picture.mean(axis=-1)
    return np.array(center_of_mass(np.where(grey > 0.75 * grey.max(), grey, 0)))


def ends(picture: np.ndarray, thickness: float) -> np.ndarray:
    """The two ends of a single line in a picture, (2, 2) as (row, column)."""
    at = np.argwhere(picture.sum(axis=-1) > 120).astype(float)
    middle = at.mean(axis=0)
    along = np.linalg.svd(at - middle, full_matrices=False)[2][0]
    t = (at - middle) @ along
    return np.stack([at[t < t.min() + thickness].mean(0), at[t > t.max() - thickness].mean(0)])


VIEWS = {
    "axial": (2, (0, 1, 2)),
    "rolled": (2, (2, 0, 1)),
    "transposed": (2, (0, 2, 1)),
    "rolled and transposed": (2, (1, 2, 0)),
    "volume": (3, (0, 1, 2)),
}


@pytest.mark.parametrize("goes", [False, True])
def test_a_landmark_is_where_the_arrows_say(make_napari_viewer, moment_of, goes):
    viewer = make_napari_viewer(show=True)
    viewer.theme = "dark"
    viewer.window.resize(900, 800)
    for view, (ndisplay, order) in VIEWS.items():
        viewer.layers.clear()
        image = viewer.add_image(
            landmark((12, 25, 20)),
            name="head",
            scale=SCALE,
            contrast_limits=(0, 1000),
            interpolation2d="linear",
        )
        viewer.dims.ndisplay, viewer.dims.order = ndisplay, order
        viewer.reset_view()
        if ndisplay == 3:
            viewer.scene.camera.angles = (20, 35, 110)
        now, was, drawn = _seen(viewer, image, moment_of, goes)
        scale = np.linalg.norm(drawn[1] - drawn[0])
        assert scale > 30, f"{view}: the arrow is long enough to tell its ends apart"
        apart = [np.linalg.norm(drawn - p, axis=1) for p in (now, was)]
        assert max(a.min() for a in apart) < 6, view
        assert apart[0].argmin() != apart[1].argmin(), view


def _seen(viewer, image, moment_of, goes: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """On the canvas: a landmark in the new image and in its source, and the ends of its arrow."""
    hidden, flat = viewer.dims.order[0], viewer.dims.ndisplay == 2
    new = np.array((12.0, 31, 24))
    results = ResultLayers(viewer)
    if flat:
        viewer.dims.set_point(hidden, new[hidden] * SCALE[hidden])
    results.show(moment_of(image, bend), {"arrows"}, DrawingStyle(arrows=300, goes=goes))
    arrows = results.layers(image)["arrows"].data
    nearest = _arrow_of(arrows, new, goes)
    new = _new_end(arrows[nearest], goes)
    place = new + bend(new[::-1])[::-1]
    image.data = landmark(place)
    results.show(moment_of(image, bend), {"image"})
    arrow = viewer.add_vectors(
        arrows[[nearest]], scale=SCALE, vector_style="line", edge_width=0.15, edge_color="red"
    )
    settle()
    drawn = ends(only(viewer, arrow), 4)
    now = blob(only(viewer, results.layers(image)["image"]))
    if flat:
        viewer.dims.set_point(hidden, place[hidden] * SCALE[hidden])
    return now, blob(only(viewer, image)), drawn


def _arrow_of(segments: np.ndarray, new: np.ndarray, goes: bool) -> int:
    """Which arrow belongs to the voxel of the new image nearest to a place."""
    at = segments.sum(axis=1) if goes else segments[:, 0]
    return int(np.linalg.norm((at - new) * SCALE, axis=1).argmin())


def _new_end(segment: np.ndarray, goes: bool) -> np.ndarray:
    """The end that lies in the new image."""
    return segment.sum(axis=0) if goes else segment[0]


@pytest.mark.parametrize("oblique", [False, True])
@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1)])
def test_the_cursor_reads_the_pixel_it_is_on(make_napari_viewer, moment_of, oblique, order):
    viewer = make_napari_viewer(show=True)
    viewer.window.resize(900, 800)
    turn = np.array([[0.8, -0.36, 0.48], [0.6, 0.48, -0.64], [0.0, 0.8, 0.6]])
    affine = np.eye(4)
    affine[:3, :3], affine[:3, 3] = turn, (40, -9, 13)
    bright, hidden = np.array((14, 20, 33)), order[0]
    column = landmark(bright).max(axis=hidden, keepdims=True)
    image = viewer.add_image(
        np.repeat(column, SHAPE[hidden], axis=hidden),
        scale=SCALE,
        affine=affine if oblique else np.eye(4),
    )
    viewer.dims.order = order
    viewer.dims.set_current_step(hidden, viewer.dims.nsteps[hidden] // 2)
    viewer.reset_view()
    panel, readings, moment = ReadoutPanel(), [], moment_of(image, bend)

    def tell(reading, shown):
        readings.append(reading)
        panel.show_reading(reading, shown)

    controller = ReadoutController(viewer, lambda: moment, tell)
    row, column = blob(pixels(viewer))
    canvas = viewer.window._qt_viewer.canvas.native
    ratio = canvas.devicePixelRatioF()
    at = QPointF(column / ratio, row / ratio)
    none = Qt.MouseButton.NoButton, Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier
    QApplication.sendEvent(
        canvas, QMouseEvent(QEvent.Type.MouseMove, at, canvas.mapToGlobal(at), *none)
    )
    deadline = time.monotonic() + 5
    while not readings and time.monotonic() < deadline:
        QApplication.processEvents()
    place = place_under(moment, viewer)
    shown = list(order[1:])
    assert np.abs(place - bright)[shown].max() < 0.6
    u = np.array(readings[-1].source_voxel) - place
    assert np.abs(u - bend(place[::-1])[::-1]).max() < 0.1
    assert panel.text().startswith("u (")
    height = panel.sizeHint().height()
    panel.show_reading(None)
    assert panel.sizeHint().height() == height
    controller.close()


def test_the_panel_reports_what_is_ticked_and_how_it_is_drawn(qtbot):
    panel = ShowPanel()
    qtbot.addWidget(panel)
    ticked, styled = [], []
    panel.changed.connect(ticked.append)
    panel.styled.connect(styled.append)
    assert panel.kinds() == {"image", "labels"} and panel.drawing() == DrawingStyle()
    assert not panel.density.isEnabled() and not panel.lines.isEnabled()
    panel.boxes["arrows"].click()
    assert ticked[-1] == {"image", "labels", "arrows"} and panel.density.isEnabled()
    panel.density.setValue(12)
    panel.length.setCurrentIndex(2)
    panel.direction.setCurrentIndex(1)
    assert styled[-1] == DrawingStyle(arrows=1200, scale=3.0, goes=True)
    panel.set_drawing(DrawingStyle(arrows=500, lines=40))
    assert styled[-1] == panel.drawing() == DrawingStyle(arrows=500, lines=40)
    panel.set_kinds({"grid", "magnitude", "arrows", "Jacobian"})
    assert ticked[-1] == panel.kinds() and len(ticked) == 2 and panel.lines.isEnabled()
    panel.set_legend(34.4)
    assert panel.legend.text().count("or more") == 3
    assert all(box.toolTip() for box in panel.boxes.values())
