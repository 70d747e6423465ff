"""What an augmentation plans: its jobs, their names, the room that they take."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from src_core.augment import make_plan
from src_core.augment.disk import size_text
from src_core.augment.plan import names_of
from src_core.datasets.reading import Entry
from src_core.errors import InputError
from src_core.models.model import Model
from tests.support.augmenting import FLOATS, asked
from tests.support.rings import SHAPE


def test_more_of_each_changes_none_of_those_before(data: Path, model: Model) -> None:
    few, many = (make_plan(asked(data, Path("x"), per_case=n), model).jobs for n in (2, 5))
    kept = {job.name: job.options for job in many}
    assert all(kept[job.name] == job.options for job in few)
    assert (len(few), len(many)) == (6, 15)


@pytest.mark.parametrize("formats", [("cases",), ("nifti",), ("cases", "nifti")])
def test_the_room_a_case_takes(data: Path, model: Model, formats: tuple[str, ...]) -> None:
    voxels = np.prod(SHAPE)
    expected = sum(voxels * (2 + 1 + FLOATS[name]) for name in formats)
    assert make_plan(asked(data, Path("x"), formats=formats), model).bytes_each == expected


def test_room_in_words() -> None:
    assert [size_text(n) for n in (7, 1000, 3_140_000, 2.5e12)] == [
        "7 bytes", "1 kB", "3.14 MB", "2.5 TB",
    ]  # fmt: skip


def test_cases_of_one_name_are_kept_apart(tmp_path: Path) -> None:
    entries = [Entry(tmp_path / s / f) for s, f in (("s1", "t1.nii"), ("s2", "T1.nii.gz"))]
    assert names_of(entries) == ["s1-t1", "s2-T1"]
    assert names_of([*entries[:1], Entry(tmp_path / "s2" / "t2.nii")]) == ["t1", "t2"]
    with pytest.raises(InputError, match="2 times"):
        names_of([entries[0], Entry(tmp_path / "s2" / ".." / "s1" / "t1.nii")])


def test_only_one_split(data: Path, model: Model, tmp_path: Path) -> None:
    table = data / "cases.csv"
    names = ("p1_frame01", "p1_frame09", "p2")
    rows = [
        f"images/{n}.nii.gz,labels/{n}.nii.gz,{s}"
        for n, s in zip(names, ("train", "train", "test"), strict=True)
    ]
    table.write_text("\n".join(["image,labels,split", *rows]) + "\n")
    whole = make_plan(asked(table, tmp_path / "o"), model)
    assert whole.cases == 3 and "test" in whole.notes[0]
    assert make_plan(asked(table, tmp_path / "o", split="train"), model).cases == 2
