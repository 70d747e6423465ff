"""Memory of the process over many seeds: flat once what is kept of results is full."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.window.screen import Row, opened, rest, texture

__all__ = ["memory_rows"]

_QUARTERS = 4


def memory_rows(seeds: int, limit: int) -> Iterator[Row]:
    """Resident memory at each quarter, MB, with a limit for results in MB."""
    import psutil

    process, found = psutil.Process(), []
    with opened(texture((256, 256))) as (_, explorer):
        explorer.more.memory.setValue(limit)
        begun = process.memory_info().rss
        for seed in range(1, seeds + 1):
            explorer.options.seed.setValue(1000 + seed)
            rest(explorer)
            if seed % max(seeds // _QUARTERS, 1) == 0:
                found.append(process.memory_info().rss - begun)
        kept = explorer.runner.compute.runs.nbytes + explorer.variants.history.bytes
    grown = " ".join(f"{value / 2**20:+.0f}" for value in found)
    yield Row(f"memory over {seeds} seeds, by quarters, MB", grown, "flat")
    yield Row(f"kept of them, with a limit of {limit} MB, at most, MB", f"{kept / 2**20:.0f}")
