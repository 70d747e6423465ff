"""Films, reports and galleries by the explorer's buttons: saved whole, refused, cancelled."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("qtpy.QtWidgets", reason="no Qt binding is installed", exc_type=ImportError)

from PIL import Image
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QPushButton

from tests.support.files import rows_of
from tests.support.pages import content_of
from tests.support.windows import finish, wait, wait_for_threads

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def explorer(window):
    _, made = window()
    wait(lambda: made.sources.model.value() is not None)
    made.options.live.setChecked(False)
    return made


@pytest.fixture
def shown(explorer):
    """The explorer with a result."""
    QTest.mouseClick(explorer.run_bar.generate, LEFT)
    finish(explorer)
    return explorer


def saved(explorer, button, path, *choose) -> None:
    """Click a button, choose, type where to, save, and wait."""
    QTest.mouseClick(button, LEFT)
    dialog = explorer.picture_export.dialog
    for name, value in choose:
        box = dialog.form.controls[name].widget
        if hasattr(box, "findData"):
            box.setCurrentIndex(box.findData(value))
        else:
            dialog.form.controls[name].place(value)
    dialog.path.selectAll()
    QTest.keyClicks(dialog.path, str(path))
    QTest.mouseClick(dialog.save, LEFT)


def test_films_and_a_report_of_what_is_shown(shown, tmp_path):
    buttons, export = shown.pictures, shown.picture_export
    for kind, frames in (("recovery", 2), ("wipe", 20)):
        path = tmp_path / f"{kind}.gif"
        saved(shown, buttons.film, path, ("kind", kind), ("side", 96))
        wait(lambda: not export.busy)
        assert shown.run_bar.status.text() == f"Saved {path}"
        with Image.open(path) as film:
            assert film.n_frames >= frames
    saved(shown, buttons.report, tmp_path / "a.html")
    wait(lambda: not export.busy)
    found = content_of((tmp_path / "a.html").read_text(encoding="utf-8"))
    metrics = shown._outcome().result.metrics
    assert found.outside == [] and f"{metrics['max_mm']:.2f} mm" in found.words
    assert sorted(path.name for path in tmp_path.glob("*.*")) == [
        "a.html", "recovery.gif", "wipe.gif",
    ]  # fmt: skip


def test_a_gallery_of_the_form_and_one_that_is_cancelled(explorer, tmp_path):
    assert explorer.pictures.gallery.isEnabled() and not explorer.pictures.film.isEnabled()
    chosen = (("seeds", 2), ("levels", "10,20"), ("side", 64))
    saved(explorer, explorer.pictures.gallery, tmp_path / "sheets", *chosen)
    wait(lambda: not explorer.picture_export.busy)
    rows = rows_of(tmp_path / "sheets" / "gallery.csv")
    assert [(row["level"], row["seed"]) for row in rows] == [
        ("10", "1"), ("10", "2"), ("20", "1"), ("20", "2"),
    ]  # fmt: skip
    assert {float(row["max_mm"]) > 0 for row in rows} == {True}
    saved(explorer, explorer.pictures.gallery, tmp_path / "other", ("seeds", 200))
    progress = explorer.picture_export.progress
    assert progress is not None and progress.isVisible()
    wait(lambda: progress.value() > 0)
    assert "s left" in progress.labelText()
    QTest.mouseClick(progress.findChild(QPushButton), LEFT)
    assert not explorer.picture_export.busy
    assert explorer.run_bar.status.text() == "Cancelled: nothing was written"
    wait_for_threads()
    assert not (tmp_path / "other").exists()


def test_what_is_impossible_is_said_and_leaves_the_window_usable(shown, tmp_path):
    failed = []
    shown.picture_export.failed.connect(failed.append)
    saved(shown, shown.pictures.gallery, tmp_path / "a", ("levels", "10,900"))
    wait(lambda: bool(failed))
    assert "900" in failed[-1]
    saved(shown, shown.pictures.gallery, tmp_path / "a", ("levels", "ten"))
    assert "cannot be read" in failed[-1]
    saved(shown, shown.pictures.film, tmp_path / "a.avi")
    wait(lambda: len(failed) == 3)
    assert ".gif or .mp4" in failed[-1] and not list(tmp_path.glob("a*"))
    box = shown.picture_export.dialog.form.controls["kind"].widget
    assert not box.model().item(box.findData("cine")).isEnabled()
    assert box.model().item(box.findData("recovery")).isEnabled()


def test_a_file_is_replaced_only_when_that_is_agreed(shown, tmp_path):
    path = tmp_path / "a.html"
    path.write_text("before")
    questions = []
    QTest.mouseClick(shown.pictures.report, LEFT)
    dialog = shown.picture_export.dialog
    dialog._agree = lambda parent, question: questions.append(question) or len(questions) > 1
    dialog.path.setText(str(path))
    QTest.mouseClick(dialog.save, LEFT)
    assert path.read_text() == "before" and str(path) in questions[0]
    QTest.mouseClick(dialog.save, LEFT)
    wait(lambda: not shown.picture_export.busy)
    assert np.char.startswith(path.read_text(encoding="utf-8"), "<!DOCTYPE html>")
