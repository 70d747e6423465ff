"""Models dropped on a widget: an event filter that takes model files and leaves all others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qtpy.QtCore import QEvent, QObject, Qt, Signal
from qtpy.QtWidgets import QWidget

__all__ = ["ModelDrop", "model_files"]

_SUFFIXES = (".safetensors", ".pth")


class ModelDrop(QObject):
    """Lives with a widget; ``dropped(str)`` for each model file let go over it."""

    dropped = Signal(str)

    def __init__(self, widget: QWidget) -> None:
        super().__init__(widget)
        widget.setAcceptDrops(True)
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Accept what holds model files alone, so that napari still opens images."""
        kinds = (QEvent.Type.DragEnter, QEvent.Type.DragMove, QEvent.Type.Drop)
        if event.type() not in kinds:
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
