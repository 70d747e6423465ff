"""What the first use on a machine compiles, and how long each loop takes, in a process of its own.

``python -m benchmarks.compiling slice`` compiles what a slice needs into the folder that
``NUMBA_CACHE_DIR`` names, and prints a line for each loop.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator

from benchmarks.table import OURS, Line

__all__ = ["compile_lines"]

#: Seconds that all loops of a first use may take.
_GOAL = 10.0
_SIDES = {"slice": 256, "volume": 64}
_LOGGER = "src_core.fields.kernels.compiled"


def compile_lines(processor_time: bool = False) -> Iterator[Line]:
    """The loops of a slice and of a volume: all of them together, then each, the slowest first."""
    for what, side in _SIDES.items():
        found = sorted(_compiled(what, processor_time), reverse=True)
        total = sum(seconds for seconds, _ in found)
        size = f"{side}^{2 if what == 'slice' else 3}"
        met = "yes" if total <= _GOAL else "no"
        work = f"first use: loops compiled for a {what} with labels, {size}"
        yield work, OURS, f"{total:.2f} s", "", "", "", f"<= {_GOAL:.2f} s", met
        for seconds, name in found:
            yield "", name, f"{seconds:.2f} s", "", "", "", "", ""


def _compiled(what: str, processor_time: bool) -> list[tuple[float, str]]:
    """Seconds and name of each loop."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "benchmarks.compiling", what]
        room = {**os.environ, "NUMBA_CACHE_DIR": folder}
        ran = subprocess.run(command, env=room, capture_output=True, text=True)
    if ran.returncode:
        raise RuntimeError(ran.stderr)
    rows = [line.split() for line in ran.stdout.splitlines()]
    return [(float(row[2 if processor_time else 1]), row[0]) for row in rows]


class _Printer(logging.Handler):
    """Prints the name, the seconds and the processor time of each loop."""

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno == logging.DEBUG and isinstance(record.args, tuple):
            print(*record.args, flush=True)


def main(what: str) -> None:
    """Generate a case of a kind, whatever has to be compiled for that."""
    from benchmarks.inputs import MODEL, VOLUME_MODEL, ball_case, slice_case
    from src_core.generation import generate
    from src_core.models.library import load_model

    logger = logging.getLogger(_LOGGER)
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    logger.addHandler(_Printer())
    flat = what == "slice"
    case = slice_case(_SIDES[what]) if flat else ball_case(_SIDES[what])
    generate(case, load_model(MODEL if flat else VOLUME_MODEL, "cpu"), level=48)


if __name__ == "__main__":
    main(sys.argv[1])
