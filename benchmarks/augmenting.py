"""What a new case of an augmentation costs as their number grows: seconds, and peak memory.

    python -m benchmarks.augmenting

Each number is a run of its own process; both columns should stay flat.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from src_core.generation.save import save_case
from src_core.phantom import phantom_case

_RUN = """
import resource, sys
from src_core.cli import run
code = run(sys.argv[1:])
print("peak", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)
sys.exit(code)
"""


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--samples", type=int, nargs="+", default=[10, 40, 160])
    options = parser.parse_args(arguments)
    print(f"{'new cases':>10}{'s each':>10}{'peak MB':>10}")
    with tempfile.TemporaryDirectory() as place:
        home = Path(place)
        for folder in ("case", "set/images", "set/labels"):
            (home / folder).mkdir(parents=True)
        case = phantom_case(phase=0)
        save_case(case, home / "case", case)
        for kind in ("image", "labels"):
            target = home / "set" / f"{kind.rstrip('s')}s" / "phantom.nii.gz"
            (home / "case" / f"{kind}.nii.gz").rename(target)
        for samples in options.samples:
            seconds, peak = _measured(home, samples)
            print(f"{samples:>10}{seconds / samples:>10.2f}{peak:>10.0f}", flush=True)


def _measured(home: Path, samples: int) -> tuple[float, float]:
    """Seconds of a run, and its peak memory in MB."""
    words = ["augment", str(home / "set"), "--out", str(home / f"out-{samples}")]
    words += ["--per-case", str(samples), "--format", "nifti", "--steps", "2", "--device", "cpu"]
    started = time.perf_counter()
    ran = subprocess.run([sys.executable, "-c", _RUN, *words], capture_output=True, text=True)
    seconds = time.perf_counter() - started
    if ran.returncode:
        raise RuntimeError(ran.stderr)
    unit = 1e6 if sys.platform == "darwin" else 1e3
    return seconds, int(ran.stderr.split("peak ")[-1]) / unit


if __name__ == "__main__":
    main()
