"""``python -m benchmarks``: one table of times, ours and those of other packages.

python -m benchmarks --write        # the table, and benchmarks/README.md
python -m benchmarks --quick        # whether it works, in seconds; no figures worth anything
python -m benchmarks --sweep        # how cost grows from 64^3 to 384^3; takes long
python -m benchmarks --largest      # 512^3 end to end: minutes and memory
python -m benchmarks --compile      # what the first use on a machine compiles, and how long
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.table import Line, Sizes

_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")
_THREADS += ("ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS",)
_PAGE = Path(__file__).parent / "README.md"


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table as it grows, and write it where that is asked for."""
    options = _parser().parse_args(arguments)
    _prepare()
    from benchmarks.page import section, write_section
    from benchmarks.table import COLUMNS

    lines = []
    print("\t".join(COLUMNS), flush=True)
    for line in _lines(options):
        print("\t".join(line), flush=True)
        lines.append(line)
    if options.write:
        title, flags = _section(options)
        command = f"python -m benchmarks --write{flags}"
        write_section(options.page, section(title, lines, command))


def _section(options: argparse.Namespace) -> tuple[str, str]:
    """Title and flags of what is measured."""
    title, flags = _kind(options)
    if options.processor_time:
        return f"{title}, processor time", f"{flags} --processor-time"
    return title, flags


def _kind(options: argparse.Namespace) -> tuple[str, str]:
    if options.sweep:
        return "From side to side", " --sweep"
    if options.compile:
        return "First use on a machine", " --compile"
    if options.largest:
        return f"A volume of {options.largest}^3", f" --largest {options.largest}"
    return "Against other packages", ""


def _lines(options: argparse.Namespace) -> Iterator[Line]:
    from benchmarks.compiling import compile_lines
    from benchmarks.growth import SIDES, largest_lines, sweep_lines
    from benchmarks.inputs import VOLUME_MODEL
    from benchmarks.table import Sizes

    sizes = Sizes.quick() if options.quick else Sizes()
    if options.processor_time:
        sizes = replace(sizes, clock=time.process_time)
    if options.sweep:
        yield from sweep_lines(SIDES[:1] if options.quick else SIDES, sizes)
    elif options.compile:
        yield from compile_lines(options.processor_time)
    elif options.largest:
        yield from largest_lines(options.largest, VOLUME_MODEL)
    else:
        yield from _table(sizes, options.only)


def _table(sizes: Sizes, only: str) -> Iterator[Line]:
    from benchmarks import case_rows, field_rows, training_rows
    from benchmarks.table import lines_of

    for part in (field_rows, case_rows, training_rows):
        for row in part.rows(sizes):
            if only in row.work:
                yield from lines_of(row, sizes.budget, sizes.clock)


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
    kinds = parser.add_mutually_exclusive_group()
    kinds.add_argument("--sweep", action="store_true", help="volumes of 64^3 to 384^3 instead")
    kinds.add_argument("--compile", action="store_true", help="the first use's compilation instead")
    kinds.add_argument(
        "--largest", type=int, nargs="?", const=512, help="one volume, of 512^3, end to end instead"
    )
    parser.add_argument("--write", action="store_true", help="write the page's section as well")
    parser.add_argument("--page", type=Path, default=_PAGE, help="the page")
    parser.add_argument(
        "--processor-time",
        action="store_true",
        help="not by the clock but in processor time, where the machine is not idle",
    )
    parser.add_argument("--only", default="", help="rows whose name contains this")
    return parser


if __name__ == "__main__":
    main()
