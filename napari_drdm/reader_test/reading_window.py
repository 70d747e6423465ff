"""The window in which a reader sees pictures and answers, by keys or the mouse.

It shows pictures, the question and a count: no names, kinds or results.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

from qtpy.QtCore import QEvent, QObject, Qt, Signal
from qtpy.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_drdm.messages import error_line
from napari_drdm.reader_test.picture_pane import PicturePane
from napari_drdm.widgets.screen_room import fit_screen
from src_core.errors import DRDMError
from src_core.tasks.reader.reading import SCORES, ReadingProgress

__all__ = ["ReadingWindow"]

_QUESTION = {"choice": "Which of the two is real?", "score": "How real is this image?"}
_KEYS = {
    "choice": "← or → choose    Space next    Backspace correct the last answer    Esc pause",
    "score": "1 to 5 score    Space next    Backspace correct the last answer    Esc pause",
}
_ENDS = {"1": "1  surely synthetic", "5": "5  surely real"}
_SIDES = {"left": "←  Left", "right": "Right  →"}


class ReadingWindow(QWidget):
    """Questions one after the other, from the first without an answer; begins paused.

    Signals: ``progressed`` when an answer is kept, ``closed`` when the window is.

    Args:
        progress: of the reader, who continues where the answers end.
        parent: whose theme the window has.

    Attributes:
        panes: the pictures, from left to right.
        choices: a button for each answer.
        message: a line for the reader.
    """

    progressed = Signal()
    closed = Signal()

    def __init__(self, progress: ReadingProgress, parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.WindowType.Window)
        self.setWindowTitle("Reader test")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._progress, mode = progress, progress.plan.mode
        names = ("left picture", "right picture") if mode == "choice" else ("picture",)
        self.panes = tuple(PicturePane(name) for name in names)
        answers = tuple(_SIDES) if mode == "choice" else SCORES
        texts = {**_SIDES, **{score: _ENDS.get(score, score) for score in SCORES}}
        self.choices = {answer: QPushButton(texts[answer]) for answer in answers}
        self.question, self.message = QLabel(_QUESTION[mode]), QLabel()
        self.next, self.pause = QPushButton("Next"), QPushButton("Pause")
        self.back, self.count = QPushButton("Correct the last"), QProgressBar()
        self._chosen, self._seconds, self._since = "", 0.0, 0.0
        self._paused = True
        self._acts = self._key_acts()
        self._lay_out(mode)
        self._connect()
        self._show()

    @property
    def paused(self) -> bool:
        """Whether pictures are hidden and time stands still."""
        return self._paused

    @property
    def chosen(self) -> str:
        """The answer that is marked; empty for none."""
        return self._chosen

    def choose(self, answer: str) -> None:
        """Mark an answer, which counts once it is confirmed."""
        if not self._paused and not self._progress.done:
            self._chosen = answer
            self._mark()

    def confirm(self) -> None:
        """Begin or continue; keep the marked answer, and show the next question."""
        if self._progress.done:
            return
        if self._paused:
            self._paused, self._since = False, time.monotonic()
            self._show()
        elif self._chosen:
            self._keep()
        else:
            self.message.setText("Choose first.")

    def correct(self) -> None:
        """Go back to the answer before."""
        if self._progress.back():
            self._begin()
            self._show()

    def interrupt(self) -> None:
        """Pause; once more closes the window."""
        if self._paused or self._progress.done:
            self.close()
            return
        self._seconds += time.monotonic() - self._since
        self._paused = True
        self._show()

    def keyPressEvent(self, event: Any) -> None:
        """The keys of the test; one that is held down counts once."""
        act = self._acts.get(event.key())
        if act is None:
            super().keyPressEvent(event)
        elif not event.isAutoRepeat():
            act()

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """The same keys, while a button has the focus."""
        if event is not None and event.type() == QEvent.Type.KeyPress:
            key: Any = event
            if key.key() in self._acts:
                self.keyPressEvent(key)
                return True
        return super().eventFilter(watched, event)

    def closeEvent(self, event: Any) -> None:
        """Every answer is kept already."""
        self.closed.emit()
        super().closeEvent(event)

    def _keep(self) -> None:
        seconds = self._seconds + time.monotonic() - self._since
        try:
            if self._chosen == self._progress.given:
                self._progress.skip()
            else:
                self._progress.answer(self._chosen, seconds)
        except (DRDMError, OSError) as error:
            self.message.setText(f"Not kept: {error_line(error)}. Space tries again.")
            return
        self._begin()
        self._show()
        self.progressed.emit()

    def _begin(self) -> None:
        """A question's time begins."""
        self._chosen, self._seconds, self._since = self._progress.given, 0.0, time.monotonic()
        self._paused = False

    def _show(self) -> None:
        """The state of the test."""
        progress, hidden = self._progress, self._paused or self._progress.done
        files = (None,) * len(self.panes) if hidden else progress.pictures
        for pane, file in zip(self.panes, files, strict=True):
            pane.show_picture(file)
        self.count.setValue(progress.answered)
        self.question.setVisible(not progress.done)
        self.back.setEnabled(progress.place > 0)
        self.pause.setText("Close" if hidden else "Pause")
        self.next.setText(self._next_text())
        self.next.setEnabled(not progress.done)
        self.message.setText(self._words())
        self._mark()

    def _next_text(self) -> str:
        if self._paused:
            return "Continue" if self._progress.answered else "Begin"
        return "Next"

    def _words(self) -> str:
        progress = self._progress
        if progress.done:
            return f"All {progress.total} questions are answered. Thank you. Esc closes."
        if self._paused:
            word = "continues" if progress.answered else "begins"
            return f"{progress.answered} of {progress.total} answered. Space {word}, Esc closes."
        return "This corrects an earlier answer." if progress.given else ""

    def _mark(self) -> None:
        hidden = self._paused or self._progress.done
        for answer, button in self.choices.items():
            button.setEnabled(not hidden)
            button.setChecked(answer == self._chosen and not hidden)
        for pane, side in zip(self.panes, ("left", "right"), strict=False):
            pane.set_chosen(self._chosen == side and not hidden)

    def _lay_out(self, mode: str) -> None:
        self.question.setStyleSheet("font-size: 15pt; font-weight: bold;")
        pictures, answers, below = QHBoxLayout(), QHBoxLayout(), QHBoxLayout()
        for pane in self.panes:
            pictures.addWidget(pane, 1)
        for button in self.choices.values():
            button.setCheckable(True)
            answers.addWidget(button, 1)
        below.addWidget(self.back)
        below.addWidget(self.count, 1)
        below.addWidget(self.pause)
        below.addWidget(self.next)
        keys = QLabel(_KEYS[mode])
        column = QVBoxLayout(self)
        for label in (self.question, self.message, keys):
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
            label.setWordWrap(True)
        column.addWidget(self.question)
        column.addLayout(pictures, 1)
        column.addLayout(answers)
        column.addWidget(self.message)
        column.addLayout(below)
        column.addWidget(keys)
        self.message.setMinimumHeight(2 * self.message.fontMetrics().height())
        self.count.setRange(0, self._progress.total)
        self.count.setFormat("%v of %m")
        fit_screen(self, 1100, 780)

    def _connect(self) -> None:
        for answer, button in self.choices.items():
            button.clicked.connect(lambda _=False, chosen=answer: self.choose(chosen))
            button.setToolTip("Choose this answer; it counts with Next")
        if len(self.panes) == 2:
            for pane, side in zip(self.panes, _SIDES, strict=True):
                pane.clicked.connect(lambda chosen=side: self.choose(chosen))
        buttons: dict[QPushButton, tuple[Callable[[], None], str]] = {
            self.next: (self.confirm, "Keep the answer and show the next question (Space)"),
            self.back: (self.correct, "Show the question before again (Backspace)"),
            self.pause: (self.interrupt, "Hide the pictures; answers are kept (Esc)"),
        }
        for button, (act, tip) in buttons.items():
            button.clicked.connect(lambda _=False, acting=act: acting())
            button.setToolTip(tip)
        self.count.setToolTip("Questions answered")
        for button in self.findChildren(QPushButton):
            button.installEventFilter(self)

    def _key_acts(self) -> dict[int, Callable[[], object]]:
        """What each key does."""
        acts: dict[Qt.Key, Callable[[], object]] = {
            Qt.Key.Key_Space: self.confirm, Qt.Key.Key_Return: self.confirm,
            Qt.Key.Key_Enter: self.confirm, Qt.Key.Key_Backspace: self.correct,
            Qt.Key.Key_Escape: self.interrupt,
        }  # fmt: skip
        keys: tuple[Qt.Key, ...] = (Qt.Key.Key_Left, Qt.Key.Key_Right)
        if len(self.panes) == 1:
            keys = tuple(Qt.Key(Qt.Key.Key_0 + int(score)) for score in SCORES)
        acts |= {k: partial(self.choose, a) for k, a in zip(keys, self.choices, strict=True)}
        return {int(key): act for key, act in acts.items()}
