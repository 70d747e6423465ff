"""The strip selects the result on view, of whichever image, and acts on no other."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("qtpy.QtWidgets", reason="no Qt binding is installed", exc_type=ImportError)

from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from napari_drdm.variants.strip import IMAGE_ROLE
from tests.support.windows import settle, wait

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def two(window):
    """A window with a finished result of each of two images."""
    viewer, explorer = window((60, 52))
    wait(lambda: explorer.sources.model.value() is not None)
    heart = viewer.layers["heart"]
    other = viewer.add_image(
        heart.data[::-1].copy(), name="another heart", scale=heart.scale, units=heart.units
    )
    for image in (heart, other):
        choose(explorer, image.name)
        explorer.options.level.setValue(40)
        explorer.options.seed.setValue(1 + explorer.options.seed.value())
        settle(explorer)
        wait(lambda: explorer._outcome() is not None)
    return viewer, explorer


def choose(explorer, name: str) -> None:
    """Choose an image in its box by the keyboard."""
    box = explorer.sources.image
    box.setFocus()
    row = box.findText(name)
    while box.currentIndex() != row:
        down = box.currentIndex() < row
        QTest.keyClick(box, Qt.Key.Key_Down if down else Qt.Key.Key_Up)
    QApplication.processEvents()


def click(explorer, row: int) -> None:
    strip = explorer.variants_panel.strip
    at = strip.visualItemRect(strip.item(row)).center()
    QTest.mouseClick(strip.viewport(), LEFT, pos=at)
    settle(explorer)
    QApplication.processEvents()


def test_the_selection_follows_the_image(two):
    _, explorer = two
    panel, history = explorer.variants_panel, explorer.variants.history
    other, heart = history  # the newest first
    assert panel.numbers() == [other.number]
    click(explorer, 1)
    assert explorer.sources.image.value().name == "heart"
    assert panel.numbers() == [heart.number]
    choose(explorer, "another heart")
    assert explorer._outcome() is other.outcome and panel.numbers() == [other.number]
    captions = [panel.strip.item(row).data(IMAGE_ROLE) for row in range(2)]
    assert captions == ["another heart", "heart"]
    QTest.mouseClick(panel.buttons["delete"], LEFT)
    assert [v.name for v in history] == [heart.name]
    assert panel.status.text().startswith(f"Deleted {other.name} of another heart:")
    assert panel.strip.item(0).data(IMAGE_ROLE) == ""


def test_nothing_is_selected_where_no_result_is_on_view(two):
    viewer, explorer = two
    panel = explorer.variants_panel
    third = viewer.add_image(np.rot90(viewer.layers["heart"].data).copy(), name="third")
    choose(explorer, third.name)
    assert panel.numbers() == [] and not panel.buttons["delete"].isEnabled()
    explorer.options.live.setChecked(False)
    choose(explorer, "heart")
    assert len(panel.numbers()) == 1


def test_a_difference_is_hidden_when_another_result_is_shown(two):
    viewer, explorer = two
    explorer.options.seed.setValue(9)
    settle(explorer)
    wait(lambda: len(explorer.variants.history) == 3)
    QTest.mouseClick(explorer.variants_panel.buttons["difference"], LEFT)
    shown = lambda: [x for x in viewer.layers if " − " in x.name and x.visible]  # noqa: E731
    wait(lambda: len(shown()) == 1)
    explorer.options.seed.setValue(10)
    settle(explorer)
    assert not shown()
    QTest.mouseClick(explorer.variants_panel.buttons["difference"], LEFT)
    wait(lambda: len(shown()) == 1)
    choose(explorer, "heart")
    assert not shown()


def test_targets_are_named_in_the_line_of_the_result(two):
    _, explorer = two
    assert "target" not in explorer.metrics.text("Shown")
    explorer.targets.rows[2].hold.click()
    settle(explorer)
    wait(lambda: ", 1 target, " in explorer.metrics.text("Shown"))
