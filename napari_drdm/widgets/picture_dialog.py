"""Where a picture goes, and its options."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_drdm.widgets.dialog_buttons import standard_button
from napari_drdm.widgets.option_controls import OptionsForm
from src_core.errors.options import OptionField

__all__ = ["PictureDialog"]


class PictureDialog(QDialog):
    """Asks for options and a file, or a folder; ``chosen(Path, dict)`` at the end.

    Args:
        parent: above which it opens.
        title: of the dialog.
        options: that have a row each.
        path: that is offered.
        files: filter of the file dialog, such as ``Films (*.gif *.mp4)``; none for a folder.
        agree: asks a question that is answered by yes or no, before anything is replaced.
    """

    chosen = Signal(object, object)

    def __init__(
        self,
        parent: QWidget | None,
        title: str,
        options: Sequence[OptionField],
        path: Path,
        *,
        files: str,
        agree: Callable[[QWidget, str], bool],
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self._files, self._agree = files, agree
        self.form = OptionsForm(options)
        self.path, self.browse = QLineEdit(str(path)), QPushButton("Browse…")
        kinds = QDialogButtonBox.StandardButton
        self.buttons = QDialogButtonBox(kinds.Ok | kinds.Cancel)
        self.save = standard_button(self.buttons, kinds.Ok)
        self._set_up()

    def accept(self) -> None:
        """Ask before anything is replaced, then end."""
        path = Path(os.path.abspath(os.path.expanduser(self.path.text().strip())))
        there = path.exists() if self._files else path.is_dir() and any(path.iterdir())
        if there and not self._agree(self, f"{path} exists already. Replace it?"):
            return
        super().accept()
        self.chosen.emit(path, self.form.values())

    def _set_up(self) -> None:
        what = "file" if self._files else "folder"
        self.path.setToolTip(f"The {what} to write")
        self.path.setAccessibleName(what.capitalize())
        self.path.textChanged.connect(lambda text: self.save.setEnabled(bool(text.strip())))
        self.browse.setToolTip(f"Choose a {what}")
        self.browse.clicked.connect(self._ask)
        self.save.setText("Save")
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        place = QHBoxLayout()
        place.addWidget(self.path, 1)
        place.addWidget(self.browse)
        self.form.rows.addRow(what.capitalize(), place)
        column = QVBoxLayout(self)
        column.addWidget(self.form)
        column.addStretch(1)
        column.addWidget(self.buttons)
        self.setMinimumWidth(460)

    def _ask(self) -> None:
        title, present = self.windowTitle(), self.path.text()
        if not self._files:
            path = QFileDialog.getExistingDirectory(self, title, present)
        else:
            no_question = QFileDialog.Option.DontConfirmOverwrite  # it is asked at the end
            path, _ = QFileDialog.getSaveFileName(
                self, title, present, self._files, options=no_question
            )
        if path:
            self.path.setText(path)
