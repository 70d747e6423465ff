"""Generating a new case: options, the run itself, its numbers, and its files."""

from __future__ import annotations

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
