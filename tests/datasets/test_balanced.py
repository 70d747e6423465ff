"""Cases are spread over subjects."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from src_core.datasets.reading import Entry, balanced, read_dataset
from tests.support.rings import save_ring


def test_cases_are_spread_over_subjects_and_take_turns() -> None:
    entries = [
        Entry(Path(f"p{i:02}_frame{f:02}.nii.gz"), None, f"p{i:02}")
        for i in range(20)
        for f in (1, 9)
    ]
    chosen = balanced(entries, 20)
    assert len({e.subject for e in chosen}) == 20
    assert abs(sum(e.name.endswith("01") for e in chosen) - 10) <= 1
    for count in (4, 5, 10):
        numbers = sorted(int(e.subject[1:]) for e in chosen[:count])
        assert np.diff([-1, *numbers, 20]).max() <= 2 * 21 / count
    assert sorted(e.name for e in balanced(entries, None)) == sorted(e.name for e in entries)


def test_phases_are_of_one_subject(tmp_path: Path) -> None:
    for name in ("patient1_frame01", "patient1_frame12", "patient2_frame01"):
        save_ring(tmp_path, name, 6)
    entries = read_dataset(tmp_path)
    assert [e.subject for e in entries] == ["patient1", "patient1", "patient2"]
    assert all(e.labels is not None and e.labels.is_file() for e in entries)
