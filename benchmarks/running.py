"""Time and memory of a run of ``drdm`` in a process of its own."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence

__all__ = ["measured"]

_RUN = """
import resource, sys
from src_core.cli import run
code = run(sys.argv[1:])
whose = resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN
print("peak", max(resource.getrusage(who).ru_maxrss for who in whose), file=sys.stderr)
sys.exit(code)
"""


def measured(words: Sequence[str]) -> tuple[float, int]:
    """Seconds of a call, and the peak memory of any of its processes, bytes (not on Windows).

    Raises:
        RuntimeError: the call failed; its message is the call's stderr.
    """
    started = time.perf_counter()
    ran = subprocess.run([sys.executable, "-c", _RUN, *words], capture_output=True, text=True)
    seconds = time.perf_counter() - started
    if ran.returncode:
        raise RuntimeError(ran.stderr)
    unit = 1 if sys.platform == "darwin" else 1024
    return seconds, unit * int(ran.stderr.split("peak ")[-1])
