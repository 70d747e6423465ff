"""Sessions by napari's own ways: a folder that is dropped or opened, and the File menu."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari import current_viewer

from napari_drdm.explorer.session_opening import read_all
from napari_drdm.messages import error_line
from napari_drdm.sessions.folder import is_session
from napari_drdm.sessions.found_layers import layer_settings
from src_core.errors import InputError

if TYPE_CHECKING:
    from napari_drdm.explorer.dock import DeformationExplorer

__all__ = ["get_session_reader", "open_session", "save_session"]

Paths = str | Path | Sequence[str | Path]
LayerData = tuple[Any, ...]


def get_session_reader(path: Paths) -> Callable[[Paths], list[LayerData]] | None:
    """The reader, where every path is a folder named as a session's."""
    return _read if all(map(is_session, _listed(path))) else None


def open_session() -> None:
    """Ask for a session and open it in the current viewer's explorer."""
    explorer = _explorer()
    if explorer is not None:
        explorer.sessions.ask_open()


def save_session() -> None:
    """Ask for a name and save the session of the current viewer's explorer."""
    explorer = _explorer()
    if explorer is not None:
        explorer.sessions.ask_save()


def _read(paths: Paths) -> list[LayerData]:
    """Open a session in the explorer, which adds its layers; without a window, its layers alone."""
    explorer = _explorer()
    if explorer is None:
        return [layer for path in _listed(paths) for layer in _layers(Path(path))]
    for path in _listed(paths):
        explorer.sessions.open(path)
    return [(None,)]


def _layers(path: Path) -> list[LayerData]:
    try:
        session = read_all(path, {})
    except InputError as error:
        raise InputError(error_line(error)) from error
    if session.problems:
        raise InputError(session.problems[0].words)
    return [
        (found.values, layer_settings(found), found.record.kind)
        for found in session.layers
        if found.values is not None
    ]


def _explorer() -> DeformationExplorer | None:
    """The explorer of the current viewer, opened where it is not; None without a window."""
    viewer = current_viewer()
    if viewer is None:
        return None
    _, explorer = viewer.window.add_plugin_dock_widget("napari-drdm", "Deformation explorer")
    found: DeformationExplorer = explorer
    return found


def _listed(path: Paths) -> list[str | Path]:
    return [path] if isinstance(path, str | Path) else list(path)
