"""Response of the explorer: pictures, stalls and memory, beside what they should be.

    xvfb-run -a -s "-screen 0 1400x1000x24" python -m benchmarks.window [--model-3d FILE]

Times to each stage after a move of the level; pictures while the level is dragged by the mouse;
3 x 3 seeds; memory over many seeds. A stall is the longest gap of a timer of 10 ms, with and
without the time that the window took to draw itself, which is long on a machine without a GPU.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Iterator, Sequence

from benchmarks.window.dragging import drag_rows
from benchmarks.window.kept import memory_rows
from benchmarks.window.nine import nine_rows
from benchmarks.window.pulling import pull_rows
from benchmarks.window.screen import Row
from benchmarks.window.stages import stage_rows

__all__ = ["main"]

_PARTS = ("stages", "drag", "pull", "seeds", "memory")


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and print a table."""
    chosen = _parser().parse_args(arguments)
    print(f"{'':56}{'here':>22}{'goal':>10}")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_CONFIG_HOME"] = folder  # the user's settings are left alone
        for row in _rows(chosen):
            print(f"{row.name:56}{row.here:>22}{row.goal:>10}", flush=True)


def _rows(chosen: argparse.Namespace) -> Iterator[Row]:
    if "stages" in chosen.only:
        yield from stage_rows(chosen.model_3d)
    if "drag" in chosen.only:
        yield from drag_rows()
    if "pull" in chosen.only:
        yield from pull_rows()
    if "seeds" in chosen.only:
        yield from nine_rows()
    if "memory" in chosen.only:
        yield from memory_rows(chosen.seeds, chosen.memory)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.window",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--model-3d", default="", help="a 3D model's file, to measure volumes too")
    parser.add_argument("--only", nargs="+", choices=_PARTS, default=_PARTS, help="these parts")
    parser.add_argument("--seeds", type=int, default=200, help="seeds of the part on memory")
    parser.add_argument("--memory", type=int, default=128, help="MB for results in that part")
    return parser


if __name__ == "__main__":
    main()
