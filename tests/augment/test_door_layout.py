"""The door for layouts: a toy, a folder for each subject, comes in by a class and a row."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from src_core import load_model
from src_core.augment import Request, augment, make_plan
from src_core.augment.layouts import LAYOUTS, Style
from src_core.augment.layouts.layout import Member, publish
from src_core.augment.run_folder import read_index
from src_core.generation import Result
from src_core.io import read_case, volume_file
from src_core.io.case_files import save_case
from tests.support.rings import ring, save_ring, save_tiny


class Subjects:
    """``sub-NAME/image.nii.gz`` and ``sub-NAME/labels.nii.gz``."""

    what = ("image", "labels")

    def files(self, name: str, labelled: bool, style: Style) -> dict[str, str]:
        return {kind: f"sub-{name}/{volume_file(kind)}" for kind in self.what[: 1 + labelled]}

    def write(self, result: Result, out: Path, name: str, style: Style) -> list[Path]:
        def fill(place: Path) -> None:
            (place / f"sub-{name}").mkdir()
            save_case(result.case, place / f"sub-{name}", result.source)

        return publish(out, name, fill)

    def close(self, out: Path, members: Sequence[Member], style: Style) -> None:
        (out / "participants.txt").write_text("\n".join(m.name for m in members))


def test_a_layout_comes_in_by_a_class_and_a_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(LAYOUTS, "subjects", Subjects())
    model, data, out = load_model(save_tiny(tmp_path), "cpu"), tmp_path / "data", tmp_path / "out"
    save_ring(data, "a", 6)
    request = Request(
        data, out, per_case=1, levels=(40, 40), formats=("subjects",), with_sources=True
    )
    assert [made.state for made in augment(make_plan(request, model), model)] == ["made", "made"]
    assert (out / "participants.txt").read_text() == "a-000\na-001"
    rows = read_index(out)
    assert [row["image"] for row in rows] == [f"sub-a-00{n}/image.nii.gz" for n in (0, 1)]
    source, new = (read_case(out / row["image"], out / row["labels"]) for row in rows)
    assert np.array_equal(source.image, ring(6)[0]) and (new.image != source.image).any()
