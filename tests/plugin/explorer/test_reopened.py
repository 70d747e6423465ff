"""What a closed dock leaves, what is exported after Cancel, and results offered as sources."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("qtpy.QtWidgets", reason="no Qt binding is installed", exc_type=ImportError)
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest

from tests.support.windows import finish, settle, wait

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def shown(window):
    """A window with a finished result of one slice."""
    viewer, explorer = window((60, 52))
    wait(lambda: explorer.sources.model.value() is not None)
    explorer.options.level.setValue(40)
    settle(explorer)
    wait(lambda: explorer._outcome() is not None)
    return viewer, explorer


def reopened(viewer, explorer):
    """The dock is closed and opened again."""
    dock = explorer
    while not hasattr(dock, "destroyOnClose"):
        dock = dock.parent()
    dock.destroyOnClose()
    QTest.qWait(20)
    _, again = viewer.window.add_plugin_dock_widget("napari-drdm", "Deformation explorer")
    wait(lambda: again.sources.model.value() is not None)
    return again


def test_variants_survive_the_dock_and_their_image(shown):
    viewer, explorer = shown
    made = explorer._outcome()
    image, labels = explorer.sources.image.value(), explorer.sources.labels.value()
    for layer in (image, labels):
        viewer.layers.remove(layer)
    again = reopened(viewer, explorer)
    assert again is not explorer and again.variants_panel.strip.count() == 1
    strip = again.variants_panel.strip
    at = strip.visualItemRect(strip.item(0)).center()
    QTest.mouseClick(strip.viewport(), LEFT, pos=QPoint(at))
    wait(lambda: image in viewer.layers and again._outcome() is made)
    assert again.sources.image.value() is image and again.sources.labels.value() is labels
    assert "back in the viewer" in again.variants_panel.status.text()


def test_a_dock_opened_again_goes_on_with_its_layers(shown):
    viewer, explorer = shown
    made, before = explorer._outcome(), [layer.name for layer in viewer.layers]
    again = reopened(viewer, explorer)
    assert again._outcome() is made and again.metrics.isEnabled()
    panel = again.variants_panel  # the result on view is selected
    assert len(panel.strip.selectedItems()) == 1 and panel.buttons["pin"].isEnabled()
    assert again.sources.image.values() == (viewer.layers["heart"],)
    again.options.level.setValue(30)
    wait(lambda: again._outcome() is not made)
    settle(again)
    assert [layer.name for layer in viewer.layers] == before


def test_what_is_shown_is_exported_after_cancel_too(shown, tmp_path):
    viewer, explorer = shown
    failed = []
    explorer.exporter.failed.connect(failed.append)
    explorer.options.live.setChecked(False)
    explorer.options.seed.setValue(77)
    explorer.more.steps.setValue(40)
    QTest.mouseClick(explorer.run_bar.generate, LEFT)
    wait(lambda: explorer.runner.progress is not None and explorer.runner.progress.trace)
    QTest.mouseClick(explorer.run_bar.cancel, LEFT)
    settle(explorer)
    assert explorer._moment().request.options.seed == 77 and explorer._moment().outcome is None
    QTest.mouseClick(explorer.run_bar.export, LEFT)
    explorer.export(str(tmp_path / "out"))
    assert "not a finished result" in failed[0] and len(failed) == 2
    assert explorer.exporter.dialog is None and not (tmp_path / "out").exists()
    QTest.mouseClick(explorer.run_bar.generate, LEFT)
    finish(explorer)
    wait(lambda: explorer._moment().outcome is not None)
    explorer.recovery.slider.setValue(0)  # a step of the run is on view
    settle(explorer)
    assert explorer._moment().outcome is None
    QTest.mouseClick(explorer.run_bar.export, LEFT)
    assert explorer._moment().outcome is not None and explorer.recovery.at_end
    assert explorer.exporter.dialog.isVisible()
    shown = viewer.layers["heart | drdm image"].data
    assert np.array_equal(shown, explorer._moment().images[0])
    explorer.exporter.dialog.reject()


def test_results_are_sources_only_where_asked_for(shown):
    viewer, explorer = shown
    explorer.variants_panel.strip.item(0).setSelected(True)
    explorer.variants_panel.buttons["pin"].click()
    copied = viewer.add_image(
        viewer.layers["heart | drdm image"].data,
        name="copy",
        metadata=viewer.layers["heart | drdm image"].metadata,
    )
    assert explorer.sources.image.values() == (viewer.layers["heart"],)
    assert explorer.sources.labels.values() == (None, viewer.layers["heart labels"])
    box = explorer.more.offer_results
    explorer.sections["More"].header.click()
    QTest.mouseClick(box, LEFT, pos=QPoint(8, box.height() // 2))
    names = {layer.name for layer in explorer.sources.image.values()}
    pinned = explorer.variants.history.get(1).layers[0]
    assert names == {"heart", "heart | drdm image", pinned.name, copied.name}
    assert len(explorer.sources.labels.values()) == 4
    QTest.mouseClick(box, LEFT, pos=QPoint(8, box.height() // 2))
    assert explorer.sources.image.values() == (viewer.layers["heart"],)
