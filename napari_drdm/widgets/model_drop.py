"""Models dropped on a widget: an event filter that takes model files and leaves all others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qtpy.QtCore import QEvent, QObject, Qt, Signal
from qtpy.QtGui import QDropEvent
from qtpy.QtWidgets import QWidget

__all__ = ["ModelDrop", "model_files"]

_SUFFIXES = (".safetensors", ".pth")
_KINDS = (QEvent.Type.DragEnter, QEvent.Type.DragMove, QEvent.Type.Drop)
_KINDS = (QEvent.Type.DragEnter, QEvent.Type.DragMove, QEvent.Type.Drop)


class ModelDrop(QObject):
    """Lives with a widget; ``dropped(str)`` for each model file dropped on it."""

    dropped = Signal(str)

    def __init__(self, widget: QWidget) -> None:
        super().__init__(widget)
        widget.setAcceptDrops(True)
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Accept drags of model files only, so that napari still opens images."""
        # entering and moving are drops too, by type
        if not isinstance(event, QDropEvent) or event.type() not in _KINDS:
            return False
        files = model_files(event.mimeData())
        if not files:
            event.ignore()
            return True
        event.setDropAction(Qt.DropAction.CopyAction)
        event.accept()
        if event.type() == QEvent.Type.Drop:
            for file in files:
                self.dropped.emit(file)
        return True


def model_files(mime: Any) -> list[str]:
    """The files of a drag, if all of them are models; else none."""
    paths = [url.toLocalFile() for url in mime.urls()]
    models = [path for path in paths if Path(path).suffix.lower() in _SUFFIXES]
    return models if len(models) == len(paths) else []
