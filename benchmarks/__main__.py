"""``python -m benchmarks``: one table of times, ours and those of other packages.

python -m benchmarks --write        # the table, and benchmarks/README.md
python -m benchmarks --quick        # whether it works, in seconds; no figures worth anything
python -m benchmarks --sweep        # how cost grows from 64^3 to 384^3; takes long
python -m benchmarks --largest      # 512^3 end to end: minutes and memory
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")
_THREADS += ("ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS",)
_PAGE = Path(__file__).parent / "README.md"


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table as it grows, and write it where that is asked for."""
    options = _parser().parse_args(arguments)
    _prepare()
    from benchmarks.table import COLUMNS, markdown

    lines = []
    print("\t".join(COLUMNS), flush=True)
    for line in _lines(options):
        print("\t".join(line), flush=True)
        lines.append(line)
    if options.write:
        flags = (name for name in ("sweep", "largest") if getattr(options, name))
        command = " ".join(["python -m benchmarks --write", *(f"--{name}" for name in flags)])
        options.page.write_text(markdown(lines, command), encoding="utf-8")


def _lines(options: argparse.Namespace) -> Iterator[tuple[str, ...]]:
    from benchmarks import case_rows, field_rows, training_rows
    from benchmarks.growth import SIDES, largest_lines, sweep_lines
    from benchmarks.inputs import VOLUME_MODEL
    from benchmarks.table import Sizes, lines_of

    sizes = Sizes.quick() if options.quick else Sizes()
    for part in (field_rows, case_rows, training_rows):
        for row in part.rows(sizes):
            if options.only in row.work:
                yield from lines_of(row, sizes.budget)
    if options.sweep:
        yield from sweep_lines(SIDES[:1] if options.quick else SIDES, sizes.budget)
    if options.largest:
        yield from largest_lines(64 if options.quick else 512, VOLUME_MODEL)


def _prepare() -> None:
    """One thread everywhere, and other packages from a folder beside the environment, if any."""
    for name in _THREADS:
        os.environ[name] = "1"
    sys.path.append(f"{sys.prefix}-peers")
    import torch

    torch.set_num_threads(1)
    try:
        import SimpleITK
    except ImportError:
        return
    SimpleITK.ProcessObject.SetGlobalDefaultNumberOfThreads(1)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--quick", action="store_true", help="small arrays, one run of each")
    parser.add_argument("--sweep", action="store_true", help="also from 64^3 to 384^3")
    parser.add_argument("--largest", action="store_true", help="also 512^3 end to end")
    parser.add_argument("--write", action="store_true", help="write the page as well")
    parser.add_argument("--page", type=Path, default=_PAGE, help="the page")
    parser.add_argument("--only", default="", help="rows whose name contains this")
    return parser


if __name__ == "__main__":
    main()
