"""The page of the tables: a section for each, with its command, the machine and the versions."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from benchmarks.table import COLUMNS, Line

__all__ = ["section", "write_section"]

_FRONT = """# Speed

Written by `make bench` (each section by the command below its title); not edited by hand.

All packages run in turns in one process, on one thread each; the first run of each is left out.
Memory is the peak of one run above what the process held before it.
"""
_MARK = "\n## "
_PACKAGES = ("napari-drdm", "torch", "numpy", "numba", "SimpleITK", "monai", "torchio", "antspyx")
_PACKAGES += ("batchgeneratorsv2", "hf-deepali")


def section(title: str, lines: Sequence[Line], command: str) -> str:
    """One table with its title, its command, the machine and the versions."""
    rule = ("---",) * len(COLUMNS)
    table = "\n".join(f"| {' | '.join(line)} |" for line in (COLUMNS, rule, *lines))
    found = ", ".join(f"{name} {v}" for name in _PACKAGES if (v := _version(name)))
    machine = f"{_processor()}, {os.cpu_count()} cores, Python {platform.python_version()}, {found}"
    return f"{title}\n\n    {command}\n\n{machine}.\n\n{table}\n"


def write_section(page: Path, text: str) -> None:
    """Put a section in its place on a page, or at its end; the others stay as they are."""
    old = page.read_text(encoding="utf-8") if page.is_file() else ""
    title = text.partition("\n")[0]
    sections = {one.partition("\n")[0]: one for one in old.split(_MARK)[1:]}
    sections[title] = text
    page.write_text(_MARK.join([_FRONT, *sections.values()]), encoding="utf-8")


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
