"""The command ``drdm``: exit 0 done, 2 wrong input (one line), 1 anything else, 130 cancelled."""

from __future__ import annotations

import sys
from collections.abc import Sequence

__all__ = ["main", "run"]


def main() -> None:
    """Entry point of the console script."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run a command line; returns the exit code. ``--debug`` anywhere shows tracebacks."""
    words = [word for word in arguments if word != "--debug"]
    if len(words) < len(arguments):
        return _run(words)
    from src_core.cli.failures import reported

    with reported() as outcome:
        outcome.code = _run(words)
    return outcome.code


def _run(words: list[str]) -> int:
    from src_core.cli.app import app

    return int(app(args=words, prog_name="drdm", standalone_mode=False) or 0)
