"""Windows that are no larger than the screen they open on."""

from __future__ import annotations

from qtpy.QtWidgets import QWidget

__all__ = ["fit_screen"]


def fit_screen(window: QWidget, width: int, height: int) -> None:
    """Give a window a size, or less where the screen is smaller."""
    screen = window.screen()
    room = screen.availableGeometry() if screen is not None else None
    if room is not None:
        width, height = min(width, room.width() - 20), min(height, room.height() - 60)
    window.resize(width, height)
