"""A session saved and opened in the window: what was there is there again, to the bit."""

from __future__ import annotations

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

pytest.importorskip("qtpy.QtWidgets", reason="no Qt binding is installed", exc_type=ImportError)
from qtpy.QtCore import Qt, QTimer
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QFileDialog, QMessageBox

from napari_drdm.explorer import session_commands, session_problems
from src_core.cli import run as run_shell
from tests.support.windows import finish, settle, wait

LEFT = Qt.MouseButton.LeftButton
AFFINE = np.diag([5.6, 5.6, 8, 1.0])


@pytest.fixture
def at_work(window, tmp_path):
    """A window with an image of a file, labels without one, two results, and a full form."""
    viewer, explorer = window((60, 52))
    values = viewer.layers["heart"].data
    viewer.layers.remove("heart")
    file = tmp_path / "heart.nii.gz"
    nib.Nifti1Image(values.T[:, :, None], AFFINE).to_filename(file)
    (layer,) = viewer.open(str(file), plugin="napari-drdm")
    wait(lambda: explorer.sources.model.value() is not None)
    assert layer.name == "heart" and explorer.sources.labels.value() is not None
    explorer.more.steps.setValue(2)
    explorer.targets.rows[2].hold.click()
    explorer.options.level.setValue(30)
    for seed in (3, 4):
        explorer.options.seed.setValue(seed)
        settle(explorer)
        wait(lambda seed=seed: explorer._outcome().request.options.seed == seed)
    explorer.distribution.wanted.setValue(7)
    explorer.sections["Distribution"].header.click()
    return viewer, explorer, file


def press(explorer, name: str, monkeypatch, path: Path | str) -> None:
    """Click Save or Open, and answer the dialog with a path."""
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path), ""))
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(path))
    QTest.mouseClick(explorer.variants_panel.buttons[name], LEFT)


def saved(explorer, monkeypatch, path: Path) -> Path:
    press(explorer, "save", monkeypatch, path.with_suffix(""))
    wait(lambda: "Saved" in explorer.variants_panel.status.text())
    assert path.is_dir()
    return path


def answer(words: str) -> list[str]:
    """Click a button of the message that comes; what it said."""
    said: list[str] = []

    def click() -> None:
        box = QApplication.activeModalWidget()
        if not isinstance(box, QMessageBox):
            QTimer.singleShot(50, click)
            return
        said.append(box.text())
        (button,) = (b for b in box.buttons() if b.text().replace("&", "") == words)
        QTest.mouseClick(button, LEFT)

    QTimer.singleShot(50, click)
    return said


def another(make_napari_viewer_proxy):
    """A new window with an empty explorer."""
    viewer = make_napari_viewer_proxy()
    _, explorer = viewer.window.add_plugin_dock_widget("napari-drdm", "Deformation explorer")
    wait(lambda: explorer.sources.model.value() is not None)
    return viewer, explorer


def test_a_session_goes_on_in_another_window(
    at_work, make_napari_viewer_proxy, monkeypatch, tmp_path, capsys
):
    _, explorer, file = at_work
    made = explorer._outcome()
    explorer.variants_panel.strip.item(0).setText("the best")
    path = saved(explorer, monkeypatch, tmp_path / "work.drdm")
    record = json.loads((path / "session.json").read_text("utf-8"))
    kinds = {layer["kind"]: layer for layer in record["layers"]}
    assert kinds["image"]["file"] == str(file) and kinds["labels"]["file"] is None
    assert (path / kinds["labels"]["stored"]).is_file()
    shown = explorer.results.layers(explorer.sources.image.value())
    before = {name: layer.data.copy() for name, layer in shown.items()}

    other, again = another(make_napari_viewer_proxy)
    press(again, "open", monkeypatch, path)
    wait(lambda: again._outcome() is not None)
    settle(again)
    remade = again._outcome()
    for name in ("displacement", "inverse", "jacobian"):
        assert np.array_equal(getattr(remade.result, name), getattr(made.result, name))
    assert remade.result.recipe["outputs"] == made.result.recipe["outputs"]
    names = [v.name for v in again.variants.history]
    assert names == ["the best", "L30 S3 T1"] and again.variants_panel.strip.count() == 2
    form = again.options
    assert (form.level.value(), form.seed.value(), again.more.steps.value()) == (30, 4, 2)
    assert again.targets.rows[2].hold.isChecked() and again.distribution.wanted.value() == 7
    assert again.sections["Distribution"].opened and form.live.isChecked()
    assert [layer.name for layer in other.layers][:2] == ["heart", "heart labels"]
    assert other.layers["heart labels"].opacity == 0.4
    for name, data in before.items():
        assert np.array_equal(again.results.layers(again.sources.image.value())[name].data, data)

    recipe = path / "variants" / "1" / "recipe.json"
    assert run_shell(["replay", str(recipe), "--out", str(tmp_path / "replayed")]) == 0
    assert "same bits" in capsys.readouterr().out

    # saved over itself, from its own files, it holds the same
    again.sessions.save(path)
    wait(lambda: "Saved" in again.variants_panel.status.text())
    assert json.loads((path / "session.json").read_text("utf-8"))["layers"] == record["layers"]


def test_a_moved_source_is_located_and_a_changed_one_refused(
    at_work, make_napari_viewer_proxy, monkeypatch, tmp_path
):
    _, explorer, file = at_work
    path = saved(explorer, monkeypatch, tmp_path / "work.drdm")
    _, again = another(make_napari_viewer_proxy)
    moved = file.rename(tmp_path / "elsewhere.nii.gz")
    said = answer("Cancel")
    press(again, "open", monkeypatch, path)
    wait(lambda: "not opened" in again.variants_panel.status.text())
    assert said == [f"heart is not at {file} any more: locate its file, or leave it out"]
    assert len(again._viewer.layers) == 0 and len(again.variants.history) == 0
    other = np.arange(52 * 60, dtype=np.int16).reshape(52, 60, 1)
    nib.Nifti1Image(other, AFFINE).to_filename(file)
    said = answer("Locate…")
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(moved), ""))
    press(again, "open", monkeypatch, path)
    wait(lambda: len(again.variants.history) == 2)
    assert said[0].startswith("heart.nii.gz is not what heart was when the session was saved")
    settle(again)
    wait(lambda: again._outcome() is not None)
    outputs = [v.recipe["outputs"] for v in explorer.variants.history]
    assert again._outcome().result.recipe["outputs"] in outputs


def test_a_changed_source_is_opened_where_that_is_accepted(
    at_work, make_napari_viewer_proxy, monkeypatch, tmp_path
):
    _, explorer, file = at_work
    path = saved(explorer, monkeypatch, tmp_path / "work.drdm")
    brighter = nib.load(file).get_fdata().astype(np.int16) + 7
    nib.Nifti1Image(brighter, AFFINE).to_filename(file)
    viewer, again = another(make_napari_viewer_proxy)
    answer("Open as it is")
    press(again, "open", monkeypatch, path)
    wait(lambda: again._outcome() is not None)
    finish(again)
    assert np.array_equal(viewer.layers["heart"].data, brighter[:, :, 0].T)
    assert "differs" in again.variants_panel.status.text()


def test_a_dropped_folder_opens_the_explorer(
    at_work, make_napari_viewer_proxy, monkeypatch, tmp_path
):
    _, explorer, _ = at_work
    path = saved(explorer, monkeypatch, tmp_path / "work.drdm")
    viewer = make_napari_viewer_proxy()
    assert viewer.open(str(path), plugin="napari-drdm") == []
    again = next(iter(viewer.window.dock_widgets.values()))
    wait(lambda: len(again.variants.history) == 2)
    settle(again)
    assert [layer.name for layer in viewer.layers][:2] == ["heart", "heart labels"]


def test_a_model_that_is_not_there_is_named(at_work, monkeypatch, tmp_path, tiny_models):
    viewer, explorer, _ = at_work
    path = saved(explorer, monkeypatch, tmp_path / "work.drdm")
    raw = (path / "session.json").read_text("utf-8")
    digest = explorer._outcome().result.recipe["model"]["sha256"]
    (path / "session.json").write_text(raw.replace(digest, "0" * 64), encoding="utf-8")
    failed = []
    explorer.sessions.failed.connect(failed.append)
    count = len(viewer.layers)
    press(explorer, "open", monkeypatch, path)
    wait(lambda: bool(failed))
    assert "the model tiny of this session is not installed: import it" in failed[0]
    assert len(viewer.layers) == count and len(explorer.variants.history) == 4
    settle(explorer)


def test_nothing_and_what_is_no_session_are_refused(
    make_napari_viewer_proxy, tiny_models, monkeypatch, tmp_path
):
    _, explorer = another(make_napari_viewer_proxy)
    failed = []
    explorer.sessions.failed.connect(failed.append)
    press(explorer, "save", monkeypatch, tmp_path / "a")
    assert "nothing to save" in failed[0]
    (tmp_path / "b.drdm").mkdir()
    press(explorer, "open", monkeypatch, tmp_path / "b.drdm")
    wait(lambda: len(failed) == 2)
    assert "no session" in failed[1] and not list(tmp_path.glob("a*"))
    assert session_commands.ask_about is session_problems.ask_about
