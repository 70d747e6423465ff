"""A reader test of phantoms: made in the dock, and read."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import Qt

from pictures.hand import click, key, rest, spin, until, write
from pictures.stage import Stage

__all__ = ["reader"]


def reader(stage: Stage, room: Path) -> None:
    """Pairs of a real and a synthetic image, in a window over the dock."""
    from pictures.moments import data_set

    window = stage.viewer.window
    _, dock = window.add_plugin_dock_widget("napari-drdm", "Reader test")
    until(lambda: dock.fields.model.value() is not None, "models")
    write(dock.folder, str(room / "test"))
    write(dock.fields.real, str(data_set(room / "phantoms")))
    spin(dock.fields.controls["questions"].widget, 4)
    until(lambda: dock.prepare.isEnabled(), "a folder that can be used")
    click(dock.prepare)
    until(lambda: not dock.busy and dock.report.isEnabled(), "a test")
    write(dock.reader, "R1")
    until(lambda: dock.start.isEnabled(), "a reader")
    click(dock.start)
    reading = dock.window_of_reader
    key(reading, Qt.Key.Key_Space)
    for side in (Qt.Key.Key_Left, Qt.Key.Key_Right):
        rest(0.4)
        key(reading, side)
        key(reading, Qt.Key.Key_Space)
    key(reading, Qt.Key.Key_Right)
    stage.shoot("reader-test", reading)
    key(reading, Qt.Key.Key_Escape)
    key(reading, Qt.Key.Key_Escape)
