"""Sliders for sizes and walls, by mouse and keys; what is asked for, and what came of it."""

from __future__ import annotations

import pytest

pytest.importorskip("qtpy.QtWidgets", reason="no Qt binding is installed", exc_type=ImportError)

from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from benchmarks.window.dragging import drag
from napari_drdm.widgets.optional_slider import FACTORS, MILLIMETRES, OptionalSlider
from napari_drdm.widgets.target_row import ReachedValue, TargetLabel
from napari_drdm.widgets.targets_panel import TargetsPanel

LABELS = (
    TargetLabel(1, "RV", 120.4, "ml"),
    TargetLabel(2, "myocardium", 98.0, "ml", 9.84),
    TargetLabel(3, "LV", 92.3, "ml"),
)


@pytest.fixture
def panel(qtbot):
    made = TargetsPanel()
    qtbot.addWidget(made)
    made.offer(LABELS)
    made.resize(360, 320)
    made.show()
    made.heard = []
    made.changed.connect(lambda: made.heard.append(True))
    return made


def test_a_slider_of_factors_is_logarithmic_and_free_until_it_is_moved(panel):
    row = panel.rows[3]
    assert row.factor.value() is None and row.factor.box.text() == "free" and row.free
    for at, factor in ((100, 2.0), (-100, 0.5), (50, 1.41), (0, 1.0)):
        row.factor.slider.setValue(at)
        assert row.factor.value() == pytest.approx(factor, abs=0.005)
    assert len(panel.heard) == 4 and not row.free  # x1 asks for the same size
    row.factor.reset.click()
    assert row.factor.value() is None and len(panel.heard) == 5 and row.free
    assert not row.factor.reset.isEnabled()


def test_the_mouse_moves_a_slider_and_keys_write_a_factor(panel, qtbot):
    row = panel.rows[3]
    drag(row.factor.slider, 0, 40, 0.002)
    assert row.factor.value() == pytest.approx(2**0.4, abs=0.03) and len(panel.heard) > 3
    row.factor.box.lineEdit().selectAll()
    QTest.keyClicks(row.factor.box.lineEdit(), "0.8")
    QTest.keyClick(row.factor.box, Qt.Key.Key_Return)
    assert row.factor.value() == 0.8
    assert row.factor.slider.value() == pytest.approx(-32, abs=1)


def test_below_the_least_factor_is_free(qtbot):
    for scale, least, down in ((FACTORS, 0.5, 0.45), (MILLIMETRES, -5.0, -5.5)):
        slider = OptionalSlider(scale, "a tip", None)
        for widget in (slider.slider, slider.box, slider.reset):
            qtbot.addWidget(widget)
        slider.box.setValue(least)
        assert slider.value() == least
        slider.box.setValue(down)
        assert slider.value() is None
        slider.box.setValue((least + down) / 2 + 0.01)
        assert slider.value() == least


def test_a_wall_has_a_slider_of_its_own(panel):
    assert [row.wall is not None for row in panel.rows.values()] == [False, True, False]
    panel.rows[2].wall.box.setValue(2.0)
    assert panel.rows[2].wall.value() == 2.0 and panel.rows[2].wall.slider.value() == 20
    assert panel.rows[2].note(wall=True) == "source 9.84 mm"


def test_a_label_that_is_held_has_no_other_size(panel):
    row = panel.rows[1]
    row.factor.box.setValue(1.2)
    row.hold.click()
    assert row.hold.isChecked() and row.factor.value() is None and not row.factor.slider.isEnabled()
    row.hold.click()
    assert row.factor.slider.isEnabled() and row.free


def test_what_came_of_targets_in_words_and_colour(panel):
    within, outside = ReachedValue("got 119 ml", True), ReachedValue("got 80 ml", False)
    panel.show_reached({3: within, 1: outside}, {2: within}, outside)
    assert panel.rows[3].note() == "source 92.3 ml, got 119 ml"
    assert panel.rows[1].note() == "source 120 ml, got 80 ml"
    colours = [panel.rows[v]._size_note.styleSheet() for v in (3, 1, 2)]
    assert "#2e9d5f" in colours[0] and "#d0722c" in colours[1] and colours[2] == ""
    assert "#2e9d5f" in panel.rows[2]._wall_note.styleSheet()
    panel.rows[3].factor.box.setValue(1.5)
    assert panel.rows[3].note() == "source 92.3 ml"  # no result of that yet


def test_points_and_further_targets(panel):
    panel.show_points(2, 1, True, ReachedValue("within 0.2 mm", True))
    assert panel._points.text() == "2 points pulled, 1 point held: within 0.2 mm"
    assert panel.undo.isEnabled() and panel.clear.isEnabled()
    panel.show_points(0, 0, False)
    assert panel._points.text() == "" and not panel.undo.isEnabled()
    QTest.keyClicks(panel.further, "ratio 2/3 x1.2; largest 12 mm ;")
    QTest.keyClick(panel.further, Qt.Key.Key_Return)
    assert panel.further_texts() == ["ratio 2/3 x1.2", "largest 12 mm"] and len(panel.heard) == 1
    QTest.keyClick(panel.further, Qt.Key.Key_Return)
    assert len(panel.heard) == 1


def test_other_labels_get_other_rows_and_the_same_keep_theirs(panel):
    row = panel.rows[3]
    panel.offer(LABELS)
    assert panel.rows[3] is row
    panel.offer(LABELS[:1])
    assert list(panel.rows) == [1]
    many = [TargetLabel(value, f"label {value}", value, "ml") for value in range(1, 12)]
    panel.offer(many)
    assert list(panel.rows) == [4, 5, 6, 7, 8, 9, 10, 11]
    assert "8 largest of 11" in panel._about.text()
    panel.offer(())
    assert "Without labels" in panel._about.text()
