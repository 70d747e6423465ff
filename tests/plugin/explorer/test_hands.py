"""A person at the window: how to begin, docks in front, the source in 3D, a scale set by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("qtpy.QtWidgets", reason="no Qt binding is installed", exc_type=ImportError)

from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QDockWidget, QMainWindow

from napari_drdm.widgets.help_dialog import HelpDialog
from tests.support.windows import settle, wait

LEFT = Qt.MouseButton.LeftButton


def choose(viewer: Any, window: QMainWindow, title: str) -> Any:
    """What Plugins > DRDM > a dock does: opens it, shows it, or hides it."""
    there = [d for d in window.findChildren(QDockWidget) if d.windowTitle().startswith(title)]
    if there:
        there[0].setVisible(not there[0].isVisible())
    else:
        there = [viewer.window.add_plugin_dock_widget("napari-drdm", title)[0]]
    QTest.qWait(20)
    return there[0]


def in_front(dock: Any) -> bool:
    return bool(dock.isVisible() and not dock.visibleRegion().isEmpty())


def test_an_empty_dock_says_how_to_begin(make_napari_viewer_proxy: Any, tiny_models: Any) -> None:
    viewer = make_napari_viewer_proxy()
    _, explorer = viewer.window.add_plugin_dock_widget("napari-drdm", "Deformation explorer")
    start = explorer.start
    assert not start.isHidden()
    QTest.mouseClick(start.help, LEFT)
    page = explorer.findChild(HelpDialog)
    assert "Ctrl+Return" in page.text.toPlainText() and "Generate" in page.text.toPlainText()
    QTest.keyClick(page, Qt.Key.Key_Escape)
    wait(lambda: explorer.findChild(HelpDialog) is None)
    QTest.mouseClick(start.sample, LEFT)
    assert explorer.sources.image.value().name == "phantom" and start.isHidden()
    assert explorer.sources.labels.value().name == "phantom labels"
    viewer.layers.clear()
    assert not start.isHidden()


def test_a_dock_comes_to_the_front_when_it_is_opened(window: Any) -> None:
    viewer, explorer = window()
    main, explore = explorer.window(), explorer.parent()
    main.show()
    batch = choose(viewer, main, "Batch augmentation")
    wait(lambda: in_front(batch) and not in_front(explore))
    assert main.tabifiedDockWidgets(explore) == [batch]
    choose(viewer, main, "Deformation explorer")  # it lies behind: who asks wants to see it
    wait(lambda: in_front(explore) and not in_front(batch))
    choose(viewer, main, "Deformation explorer")  # it lies in front: napari's menu hides it
    wait(lambda: not explore.isVisible() and in_front(batch))
    choose(viewer, main, "Deformation explorer")
    wait(lambda: in_front(explore))


def test_the_source_is_hidden_under_its_result_in_3d(window: Any) -> None:
    viewer, explorer = window()
    explorer.more.steps.setValue(1)
    explorer.generate()
    settle(explorer)
    image, labels = list(viewer.layers)[:2]
    ours = explorer.results.layers(image)
    assert image.visible and labels.visible
    viewer.dims.ndisplay = 3
    wait(lambda: not image.visible and not labels.visible)
    ours["image"].visible = False
    wait(lambda: image.visible and not labels.visible)
    ours["image"].visible = True
    wait(lambda: not image.visible)
    image.visible = True  # who shows it wants to see it
    explorer.options.seed.setValue(3)
    settle(explorer)
    QTest.qWait(20)
    assert image.visible and not labels.visible
    viewer.dims.ndisplay = 2
    wait(lambda: labels.visible)
    labels.visible = False
    viewer.dims.ndisplay = 3
    QTest.qWait(20)
    assert not image.visible and not labels.visible
    viewer.dims.ndisplay = 2
    wait(lambda: image.visible)
    assert not labels.visible


def test_a_scale_set_by_hand_is_seen_at_once(window: Any) -> None:
    viewer, explorer = window()
    explorer.more.steps.setValue(1)
    explorer.generate()
    settle(explorer)
    image, labels = viewer.layers[0].__wrapped__, viewer.layers[1].__wrapped__
    first = explorer.results.outcome(image)
    image.scale = (8, 2.0, 2.0)
    labels.scale = (8, 2.0, 2.0)
    wait(lambda: "8 x 2 x 2 mm" in explorer.sources.geometry_note.text())
    assert "Trained at 3 to 6 mm" in explorer.sources.model_note.toolTip()
    ours = explorer.results.layers(image)
    assert np.allclose(ours["image"].scale, image.scale)
    wait(lambda: explorer.results.outcome(image) is not first)
    settle(explorer)
    spacing = explorer.results.outcome(image).layer_case.case.grid.spacing
    assert spacing == pytest.approx((2, 2, 8))
    image.translate = (0, 5, 0)
    wait(lambda: np.allclose(ours["image"].translate, (0, 5, 0)))
