"""Subjects of a task: nested, whole and of their split."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from src_core.errors import InputError
from src_core.tasks.data import of_subjects, read_split


def listed(folder: Path, rows: list[str]) -> Path:
    for row in rows:
        for name in row.split(",")[:2]:
            (folder / name).write_bytes(b"")
    path = folder / "set.csv"
    path.write_text("\n".join(["image,labels,subject,split", *rows]) + "\n")
    return path


def test_subjects_are_nested_whole_and_of_their_split(tmp_path):
    rows = [f"{s}{t}.nii,{s}{t}l.nii,{s},train" for s in "abcdefg" for t in (1, 2)]
    path = listed(tmp_path, [*rows, "x.nii,xl.nii,x,test", "v.nii,vl.nii,v,val"])
    trained, tested = read_split(path, path)
    assert [e.subject for e in tested] == ["x"] and len(trained) == 14
    taken = [[e.subject for e in of_subjects(trained, count)] for count in range(1, 8)]
    for count, (few, more) in enumerate(pairwise(taken), start=1):
        assert more[: len(few)] == few and len(few) == 2 * count
    with pytest.raises(InputError, match="8 subjects"):
        of_subjects(trained, 8)


def test_a_subject_in_both_parts_is_refused(tmp_path):
    path = listed(tmp_path, ["a1.nii,l1.nii,a,train", "a2.nii,l2.nii,a,test"])
    with pytest.raises(InputError, match="1 subjects are in training and test, such as a"):
        read_split(path, path)
