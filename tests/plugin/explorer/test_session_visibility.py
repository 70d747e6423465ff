"""Layers of a session come back as they were seen."""

from __future__ import annotations

import pytest

pytest.importorskip("qtpy.QtWidgets", reason="no Qt binding is installed", exc_type=ImportError)
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QFileDialog

from tests.support.windows import settle, wait

LEFT = Qt.MouseButton.LeftButton


def test_hidden_and_removed_sources_come_back_hidden(
    window, make_napari_viewer_proxy, monkeypatch, tmp_path
):
    viewer, explorer = window((60, 52))
    wait(lambda: explorer.sources.model.value() is not None)
    explorer.options.level.setValue(30)
    settle(explorer)
    wait(lambda: explorer._outcome() is not None)
    data, units = viewer.layers["heart"].data, viewer.layers["heart"].units
    viewer.add_image(data[::-1].copy(), name="other", scale=(5.6, 5.6), units=units)
    viewer.layers["heart labels"].visible = False
    viewer.layers.remove("heart")
    path = str(tmp_path / "work.drdm")
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (path, ""))
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: path)
    QTest.mouseClick(explorer.variants_panel.buttons["save"], LEFT)
    wait(lambda: "Saved" in explorer.variants_panel.status.text())

    opened = make_napari_viewer_proxy()
    _, again = opened.window.add_plugin_dock_widget("napari-drdm", "Deformation explorer")
    wait(lambda: again.sources.model.value() is not None)
    QTest.mouseClick(again.variants_panel.buttons["open"], LEFT)
    wait(lambda: "Opened" in again.variants_panel.status.text())
    settle(again)
    seen = {layer.name: layer.visible for layer in opened.layers if "|" not in layer.name}
    assert seen == {"heart": False, "heart labels": False, "other": True}
