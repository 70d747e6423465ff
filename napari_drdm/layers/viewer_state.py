"""What a dock leaves in a viewer for the one that is opened next: kept as long as the viewer is."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from napari.components import ViewerModel

__all__ = ["viewer_state"]

_T = TypeVar("_T")
_STATES: list[tuple[weakref.ref[Any], dict[str, Any]]] = []


def viewer_state(viewer: ViewerModel, name: str, make: Callable[[], _T]) -> _T:
    """The value of a name in a viewer; made where there is none. It must not hold the viewer."""
    whole = getattr(viewer, "__wrapped__", viewer)  # plugins get a proxy of public parts
    _STATES[:] = [known for known in _STATES if known[0]() is not None]
    states = next((state for ref, state in _STATES if ref() is whole), None)
    if states is None:
        states = {}
        _STATES.append((weakref.ref(whole), states))
    if name not in states:
        states[name] = make()
    value: _T = states[name]
    return value
