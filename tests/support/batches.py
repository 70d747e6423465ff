"""Helpers for tests of the batch dock: a run followed to its end, and every field filled in."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from napari_drdm.batch.run import BatchEnd, BatchUpdate, RunControl, run_batch
from src_core.augment import Request

__all__ = ["SPEC", "fill", "finish", "made", "names"]


#: 76 levels, which no other model has.
SPEC = {
    "schedule": {"control": 32, "components": (32, 16, 8), "levels": 76},
    "recovery": {"steps": 4},
}


def names(out: Path) -> list[str]:
    return sorted(p.name for p in (out / "cases").iterdir())


def fill(dock, tmp_path: Path) -> dict:
    """Every field at something else than its default; what the dock then says."""
    dock.fields.levels.setText("20,30=2")
    dock.fields.seed.setValue(7)
    for name in ("nifti", "nnunet"):
        dock.fields.layouts[name].setChecked(True)
    dock.fields.layouts["cases"].setChecked(False)
    dock.fields.number.setValue(321)
    dock.filters.controls["min_mm"].widget.setValue(0.5)
    dock.filters.controls["max_mm"].widget.setValue(40)
    dock.filters.controls["max_volume_change"].widget.setValue(80)
    dock.filters.controls["keep_labels"].widget.setChecked(True)
    dock.filters.controls["keep_whole"].widget.setChecked(True)
    dock.filters.controls["retries"].widget.setValue(3)
    dock.more.controls["field_format"].widget.setCurrentText("FSL")
    dock.more.controls["slices"].widget.setCurrentText("one each")
    dock.more.controls["label_interpolation"].widget.setCurrentText("nearest")
    dock.more.controls["steps"].widget.setValue(3)
    dock.more.controls["with_sources"].widget.setChecked(True)
    dock.more.controls["workers"].widget.setValue(
        min(2, dock.more.controls["workers"].widget.maximum())
    )
    dock.more.device.setCurrentIndex(dock.more.device.findData("cpu"))
    return dock.values()


def finish(going) -> tuple[list[BatchUpdate], BatchEnd]:
    updates = []
    while True:
        try:
            updates.append(next(going))
        except StopIteration as end:
            return updates, end.value


def made(model: Path, request: Request) -> Request:
    """A finished request, ready to resume."""
    assert not finish(run_batch(request, model, RunControl()))[1].error
    return replace(request, resume=True)
