"""Cost of a new case as their number grows: seconds, and peak memory.

    python -m benchmarks.augmenting

Each line is a run. With many cases, the seconds of each should not depend on their number, and
neither should the peak memory (of one process, where there are several).
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from itertools import product
from pathlib import Path

from benchmarks.running import measured
from src_core.io.case_files import save_case
from src_core.phantom import phantom_case


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--samples", type=int, nargs="+", default=[10, 40, 160])
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    options = parser.parse_args(arguments)
    print(f"{'new cases':>10}{'workers':>10}{'s':>10}{'s each':>10}{'peak MB':>10}")
    with tempfile.TemporaryDirectory() as place:
        home = Path(place)
        for folder in ("case", "set/images", "set/labels"):
            (home / folder).mkdir(parents=True)
        case = phantom_case(phase=0)
        save_case(case, home / "case", case)
        for kind in ("image", "labels"):
            target = home / "set" / f"{kind.rstrip('s')}s" / "phantom.nii.gz"
            (home / "case" / f"{kind}.nii.gz").rename(target)
        for samples, workers in product(options.samples, options.workers):
            seconds, peak = measured(_words(home, samples, workers))
            each = f"{seconds:>10.1f}{seconds / samples:>10.2f}{peak / 1e6:>10.0f}"
            print(f"{samples:>10}{workers:>10}{each}", flush=True)


def _words(home: Path, samples: int, workers: int) -> list[str]:
    words = ["augment", str(home / "set"), "--out", str(home / f"out-{samples}-{workers}")]
    words += ["--per-case", str(samples), "--format", "nifti", "--steps", "2", "--device", "cpu"]
    return [*words, "--workers", str(workers)]


if __name__ == "__main__":
    main()
