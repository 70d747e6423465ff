"""Generating a new case: options, the run itself, its numbers, and its files."""

from __future__ import annotations

from src_core.generation.options import Options, make_options
from src_core.generation.run import Result, Step, generate, iterate, recover
from src_core.generation.save import save_result

__all__ = [
    "Options",
    "Result",
    "Step",
    "generate",
    "iterate",
    "make_options",
    "recover",
    "save_result",
]
