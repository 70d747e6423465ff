"""A bank of given fields, as a run of ``drdm augment`` stores them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from src_core.cases.grid import Grid
from src_core.io import write_field

__all__ = ["bank_of"]


def bank_of(folder: Path, fields: Mapping[str, tuple[Grid, Sequence[np.ndarray]]]) -> Path:
    """Fill a folder with fields (X, Y, Z, 3), LPS mm, of cases on their grids."""
    (folder / "fields").mkdir(parents=True)
    lines = []
    for case, (grid, some) in fields.items():
        for index, field in enumerate(some, start=1):
            name = f"fields/{case}-{index:03d}.nii.gz"
            write_field(folder / name, field.astype(np.float32), grid)
            line = {"name": f"{case}-{index:03d}", "case": case, "index": index, "state": "made"}
            lines.append({**line, "files": {name: "0"}, "metrics": {"level": 40, "seed": index}})
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (folder / "manifest.jsonl").write_text(text, encoding="utf-8")
    return folder
