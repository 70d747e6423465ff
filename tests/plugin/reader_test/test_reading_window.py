"""A reader at the window: keys, mouse, corrections, pauses; nothing that betrays a kind."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("qtpy.QtWidgets", reason="no Qt binding is installed", exc_type=ImportError)
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QLabel, QPushButton, QWidget

from src_core.tasks.reader.key import read_key
from tests.support.files import rows_of

Key = Qt.Key


def press(window: Any, *keys: Qt.Key) -> None:
    for key in keys:
        QTest.keyClick(window, key)


def rows(folder: Path, reader: str = "R1") -> list[dict[str, str]]:
    return rows_of(folder / "answers" / f"{reader}.csv")


def test_arrows_choose_and_space_goes_on(pairs, reading):
    window = reading(pairs)
    assert not any(pane.empty for pane in window.panes)
    left = window._progress.current.left
    press(window, Key.Key_Right, Key.Key_Left)  # the last mark counts
    assert window.chosen == "left" and window.choices["left"].isChecked()
    press(window, Key.Key_Space)
    (row,) = rows(pairs)
    assert row["answer"] == left and row["correct"] in ("0", "1") and row["kind"] != "real"
    press(window, *(Key.Key_Right, Key.Key_Space) * 3)
    assert len(rows(pairs)) == 4 and "All 4 questions" in window.message.text()
    assert all(pane.empty for pane in window.panes)
    press(window, Key.Key_Left, Key.Key_Space)
    assert len(rows(pairs)) == 4


def test_space_without_a_choice_keeps_nothing(pairs, reading):
    window = reading(pairs)
    press(window, Key.Key_Space)
    assert window.message.text() == "Choose first." and not (pairs / "answers").exists()


def test_scores_by_their_numbers(singles, reading):
    window = reading(singles)
    press(window, Key.Key_4, Key.Key_Space, Key.Key_6, Key.Key_Left, Key.Key_Space)
    assert [r["answer"] for r in rows(singles)] == ["4"] and window.message.text()
    press(window, Key.Key_1, Key.Key_Return, Key.Key_5, Key.Key_Enter)
    assert [r["answer"] for r in rows(singles)] == ["4", "1", "5"]
    assert all(r["correct"] == r["left"] == "" for r in rows(singles))


def test_the_mouse_does_all_of_it(pairs, reading):
    window = reading(pairs, begun=False)
    click = Qt.MouseButton.LeftButton
    QTest.mouseClick(window.panes[0], click)
    assert window.chosen == ""  # nothing is shown yet
    QTest.mouseClick(window.next, click)
    QTest.mouseClick(window.panes[1], click)
    assert window.chosen == "right"
    QTest.mouseClick(window.choices["left"], click)
    QTest.mouseClick(window.next, click)
    assert len(rows(pairs)) == 1
    QTest.mouseClick(window.back, click)
    assert window.chosen == "left" and "corrects" in window.message.text()
    QTest.mouseClick(window.pause, click)
    assert window.paused and window.panes[0].empty


@pytest.mark.parametrize("focused", ["next", "back", "pause"])
def test_keys_mean_the_same_wherever_the_focus_is(pairs, reading, focused):
    window = reading(pairs)
    press(window, Key.Key_Left, Key.Key_Space)
    button = getattr(window, focused)
    button.setFocus()
    press(button, Key.Key_Right, Key.Key_Space)
    assert len(rows(pairs)) == 2 and not window.paused


def test_a_key_that_is_held_down_answers_one_question(pairs, reading):
    from qtpy.QtCore import QEvent
    from qtpy.QtGui import QKeyEvent

    window = reading(pairs)
    press(window, Key.Key_Left, Key.Key_Space)
    for key in (Key.Key_Left, Key.Key_Space):
        none = Qt.KeyboardModifier.NoModifier
        QApplication.sendEvent(window, QKeyEvent(QEvent.Type.KeyPress, key, none, " ", True))
    assert len(rows(pairs)) == 1


def test_backspace_corrects_the_last_answer(pairs, reading):
    window = reading(pairs)
    press(window, Key.Key_Backspace)  # there is none yet
    press(window, Key.Key_Left, Key.Key_Space)
    first = rows(pairs)[0]
    press(window, Key.Key_Backspace)
    assert window.chosen == "left"
    press(window, Key.Key_Right, Key.Key_Space)
    (row,) = rows(pairs)
    assert row["item"] == first["item"] and row["answer"] != first["answer"]
    assert row["corrections"] == "1"
    press(window, Key.Key_Backspace, Key.Key_Space)  # the same again is no correction
    assert rows(pairs) == [row] and window._progress.place == 1


def test_a_pause_hides_the_pictures_and_does_not_count(pairs, reading):
    window = reading(pairs)
    press(window, Key.Key_Escape)
    assert window.paused and all(pane.empty for pane in window.panes)
    assert not window.choices["left"].isEnabled()
    time.sleep(0.4)
    press(window, Key.Key_Left)  # nothing to see, nothing to choose
    press(window, Key.Key_Space)
    assert window.chosen == "" and not window.panes[0].empty
    press(window, Key.Key_Left, Key.Key_Space)
    assert float(rows(pairs)[0]["seconds"]) < 0.4


def test_closing_and_opening_again_continues(pairs, reading):
    window = reading(pairs)
    press(window, Key.Key_Left, Key.Key_Space, Key.Key_Right)
    press(window, Key.Key_Escape, Key.Key_Escape)
    assert not window.isVisible() and len(rows(pairs)) == 1
    again = reading(pairs, begun=False)
    assert "1 of 4 answered" in again.message.text() and again.next.text() == "Continue"
    assert again._progress.place == 1


def test_what_cannot_be_kept_is_said_and_tried_again(pairs, reading):
    window = reading(pairs)
    press(window, Key.Key_Left, Key.Key_Space)
    path = pairs / "answers" / "R1.csv"
    mine = path.read_bytes()
    path.write_bytes(mine + b"\n")
    press(window, Key.Key_Left, Key.Key_Space)
    assert "Not kept" in window.message.text() and window._progress.answered == 1
    path.write_bytes(mine)
    press(window, Key.Key_Space)
    assert window._progress.answered == 2


def told(window: QWidget) -> str:
    """Every text that a window could show or read out, in it and in its title."""
    found = [window.windowTitle(), window.windowFilePath(), window.toolTip(), window.statusTip()]
    for widget in window.findChildren(QWidget):
        found += [widget.toolTip(), widget.statusTip(), widget.whatsThis(), widget.objectName()]
        found += [widget.accessibleName(), widget.accessibleDescription()]
        found += [widget.text()] if isinstance(widget, (QLabel, QPushButton)) else []
    return " ".join(found)


@pytest.mark.parametrize("folder", ["pairs", "singles"])
def test_nothing_shown_depends_on_the_kind(folder, reading, request):
    """All texts are equal for all kinds, and none names a file, case or kind."""
    path = request.getfixturevalue(folder)
    key, window, seen = read_key(path), reading(path), {}
    names = [*key.kinds, *(f"case{n}" for n in range(8)), *(f"p{n}" for n in range(8)), str(path)]
    while not window._progress.done:
        kind = key.kind(window._progress.current.question)
        texts = told(window)
        seen.setdefault(kind, set()).add(texts)
        words = texts.split()
        assert not [n for n in names if n in words or f"{n}.png" in texts]
        assert not [w for w in ("generated", "elastic", "deformed", ".png") if w in texts]
        press(window, Key.Key_Left if folder == "pairs" else Key.Key_3, Key.Key_Space)
    assert len(seen) >= 2 and len(set.union(*seen.values())) == 1


def test_a_text_that_betrays_a_kind_would_be_noticed(pairs, reading):
    window = reading(pairs)
    window.panes[0].setToolTip("generated")
    assert "generated" in told(window)
