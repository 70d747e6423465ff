"""The Python of docs/points.md runs as it is written."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from tests.support.paths import ROOT

PAGE = (ROOT / "docs" / "points.md").read_text(encoding="utf-8")


def test_the_code_runs() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)
    moved = names["moved"]
    given = np.array([names["corner"], names["middle"]])
    assert not moved.outside.any()
    assert moved.error_voxels.max() < 0.01
    assert np.linalg.norm(moved.positions - given, axis=1).min() > 0.1  # mm
