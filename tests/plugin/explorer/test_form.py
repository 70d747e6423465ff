"""The explorer's form: it keeps its shape, and greys what is not on view."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("qtpy.QtWidgets", reason="no Qt binding is installed", exc_type=ImportError)

from qtpy.QtWidgets import QLabel, QPushButton

from napari_drdm.widgets.section import Section
from src_core.inspection.trajectory import TrajectoryPoint
from tests.support.windows import settle, wait


def test_numbers_are_grey_while_another_moment_is_on_view(window):
    _, explorer = window()
    explorer.generate()
    settle(explorer)
    assert explorer.metrics.isEnabled()
    explorer.recovery.slider.setValue(15)
    settle(explorer)
    assert not explorer.metrics.isEnabled() and explorer.metrics.text("Shown").startswith("level")
    explorer.recovery.slider.setValue(40)
    settle(explorer)
    assert explorer.metrics.isEnabled()


def test_a_region_is_never_covered_by_results(window):
    viewer, explorer = window()
    explorer.more._draw.click()
    region = explorer.more.region.value()
    region.add_rectangles(np.array([[1, 5, 5], [1, 5, 40], [1, 45, 40], [1, 45, 5]]))
    explorer.generate()
    settle(explorer)
    explorer.show_panel.set_kinds({"image", "labels", "Jacobian", "grid"})
    ours = explorer.results.layers(explorer.sources.image.value())
    assert set(ours) == {"image", "labels", "Jacobian", "grid"}
    places = {layer.name: place for place, layer in enumerate(viewer.layers)}
    assert places[region.name] == len(places) - 1


def test_headers_say_whether_a_section_is_open(window):
    _, explorer = window()
    marks = {title: s.header.text()[0] for title, s in explorer.sections.items()}
    closed = {"Targets": "▸", "Distribution": "▸", "More": "▸"}
    assert marks == {"Show": "▾", "Metrics": "▾", "Variants": "▾", **closed}
    explorer.sections["More"].header.click()
    assert (
        explorer.sections["More"].header.text() == "▾ More: steps, slices, region, device, memory"
    )
    assert not explorer.more.isHidden()


def test_a_section_grows_with_what_it_holds(qtbot):
    """A line is not cut off where it comes after the section was opened."""
    label = QLabel("a")
    section = Section("Numbers", label, opened=True)
    qtbot.addWidget(section)
    section.show()
    label.setText("\n".join("abcdef"))
    qtbot.waitUntil(lambda: label.height() >= 6 * label.fontMetrics().height() - 2)
    section.header.click()
    assert label.isHidden() and section.header.text() == "▸ Numbers"


def test_what_a_run_says_does_not_widen_the_dock(window):
    _, explorer = window()
    before = explorer.recovery.minimumSizeHint().width()
    explorer.recovery.show_numbers(TrajectoryPoint(60.5, 188.8, -8.88, 188.8))
    assert explorer.recovery.minimumSizeHint().width() == before


def test_progress_fits_its_bar(window):
    _, explorer = window()
    bar = explorer.run_bar
    bar._began -= 100
    bar.show_step(10, 81, "cuda:0", left=700)
    assert bar.progress.text() == "step 10 of 81 on cuda:0, 700 s left"
    assert bar.progress.value() == pytest.approx(125, abs=2)  # of 1000: an eighth
    assert bar.progress.fontMetrics().horizontalAdvance(bar.progress.text()) < bar.progress.width()
    narrow = [b for b in bar.findChildren(QPushButton) if b.width() < b.minimumSizeHint().width()]
    assert not narrow


def test_the_time_left_counts_down_between_reports(window):
    _, explorer = window()
    bar = explorer.run_bar
    bar.set_running(True)
    bar._drawn = 0.0
    bar.show_step(1, 1, "cpu", "inverting", left=30)
    assert bar.progress.text() == "inverting on cpu, 30 s left"
    bar.show_step(1, 1, "cpu", "certifying", left=20)  # too soon to be drawn at once
    assert bar.progress.text() == "inverting on cpu, 30 s left"
    wait(lambda: "certifying on cpu, 19 s left" in bar.progress.text(), 5)
    bar.set_running(False)
    assert bar.progress.text() == "" and not bar._second.isActive()
