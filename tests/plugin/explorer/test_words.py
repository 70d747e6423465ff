"""Words and units as a person meets them: px and mm, the table of labels, names, strength."""

from __future__ import annotations

import json

import numpy as np
import pytest

pytest.importorskip("qtpy.QtCore", reason="no Qt binding is installed", exc_type=ImportError)

from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QLabel, QLineEdit

from src_core.cases.synthetic import SYNTHETIC
from tests.support.windows import finish, wait


def rename(table, name: str) -> None:
    """Double-click the name of the first label and type another."""
    item = table.item(0, 0)
    table.scrollToItem(item)
    middle = table.visualItemRect(item).center()
    for click in (QTest.mouseClick, QTest.mouseDClick):
        click(table.viewport(), Qt.MouseButton.LeftButton, pos=middle)
    editor = table.findChild(QLineEdit)
    editor.selectAll()
    QTest.keyClicks(editor, name)
    QTest.keyClick(editor, Qt.Key.Key_Return)


@pytest.mark.filterwarnings("ignore:.*voxels are deformed")
def test_a_slice_in_pixels_then_in_millimetres(window, tmp_path):
    viewer, explorer = window((60, 52))
    image, labels = (getattr(layer, "__wrapped__", layer) for layer in viewer.layers)
    for layer in (image, labels):
        layer.scale, layer.units = (1, 1), ("pixel", "pixel")
    wait(lambda: explorer.run_bar.generate.isEnabled() and not explorer.models.loading)
    assert SYNTHETIC in {label.text() for label in explorer.findChildren(QLabel)}
    explorer.options.live.setChecked(False)
    explorer.options.slider.setValue(30)
    wait(lambda: "mean" in explorer.options.reach.text())
    assert explorer.options.reach.text().endswith(" px")
    QTest.mouseClick(explorer.run_bar.generate, Qt.MouseButton.LeftButton)
    finish(explorer)
    assert "pixels (rows, columns), spacing unknown" in explorer.sources.geometry_note.text()
    assert " px, " in explorer.metrics.text("Largest")
    table = explorer.metrics.labels
    titles = table.text().splitlines()[0].split("\t")
    assert {"px² before", "px² after", "mean px", "95 % px", "det J"} <= set(titles)
    assert table.text().splitlines()[1].split("\t")[:3] == ["label 2", "2", "360"]
    rename(table.table, "ventricle")
    wait(lambda: "drdm" in labels.metadata)
    assert labels.metadata["drdm"]["label_names"] == {2: "ventricle"}
    assert table.text().splitlines()[1].startswith("ventricle\t2\t")
    QTest.keyClick(table.table, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    copied = QApplication.clipboard().text()
    assert copied.splitlines()[1].startswith("ventricle\t2\t360\t") and "−" not in copied
    QTest.mouseClick(table.copy, Qt.MouseButton.LeftButton)
    assert QApplication.clipboard().text().splitlines()[0].split("\t") == titles
    assert [row.label.name for row in explorer.targets.rows.values()] == ["ventricle"]
    explorer.export(str(tmp_path / "out"))
    wait(lambda: (tmp_path / "out" / "metrics.json").is_file())
    for file in ("metrics.json", "recipe.json"):
        assert json.loads((tmp_path / "out" / file).read_text())["label_names"] == {
            "2": "ventricle"
        }
    made = [layer for layer in viewer.layers if "| drdm" in layer.name]
    assert made and all(m.metadata["drdm"]["notice"] == SYNTHETIC for m in made)
    for layer in (image, labels):
        layer.scale, layer.units = (2, 2), ("mm", "mm")
    QTest.mouseClick(explorer.run_bar.generate, Qt.MouseButton.LeftButton)
    finish(explorer)
    assert table.text().splitlines()[1].split("\t")[2] == str(4 * 360)
    assert "mm² before" in table.text() and " mm, " in explorer.metrics.text("Largest")
    assert np.isclose(explorer.metrics.labels.table.rowCount(), 1)
