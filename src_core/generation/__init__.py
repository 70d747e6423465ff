"""Generating a new case: options, the run itself, its numbers, and its files."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from src_core.generation.options import Options, make_options
    from src_core.generation.run import Finishing, Result, generate, iterate, recover
    from src_core.generation.save import save_result
    from src_core.generation.series import Series, generate_series, save_series
    from src_core.generation.session import Session, Step

__all__ = [
    "Finishing",
    "Options",
    "Result",
    "Series",
    "Session",
    "Step",
    "generate",
    "generate_series",
    "iterate",
    "make_options",
    "recover",
    "save_result",
    "save_series",
]

#: Modules of the names, which are imported when they are used.
_MODULES = {
    "options": ("Options", "make_options"),
    "run": ("Finishing", "Result", "generate", "iterate", "recover"),
    "save": ("save_result",),
    "series": ("Series", "generate_series", "save_series"),
    "session": ("Session", "Step"),
}


def __getattr__(name: str) -> Any:
    for home, names in _MODULES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{home}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
