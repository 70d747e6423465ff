"""A bank of deformations made ahead: what it holds, how it knows its cases again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from src_core.augment.levels import draw
from src_core.cases.case import Case
from src_core.errors import InputError
from src_core.transforms import (
    Bank,
    Scan,
    make_bank,
)
from src_core.transforms.sources import as_source
from src_core.transforms.tensors import below_of
from tests.support import tiny
from tests.support.deformations import case_of, numbers
from tests.support.loops import ball, live, scan, untouched


def test_a_bank_holds_what_augment_draws(folder: Path, tmp_path: Path) -> None:
    maker = live(folder, levels=(30, 50))
    cases = {"p1": case_of(scan()), "p2": case_of(scan((44, 36, 3)))}
    with untouched():
        states = [(s.name, s.state) for s in make_bank(cases, tmp_path, maker, per_case=3, seed=5)]
    assert states == [("p1", "made"), ("p2", "made")]
    bank = Bank(tmp_path)
    assert bank.names == ("p1", "p2")
    assert bank.count("p2") == 3
    level, seed = draw(5, "p2", 2, (30, 50))
    kept = bank.get("p2", 1)
    made = maker.make(Scan(cases["p2"].image, cases["p2"].grid), level, seed)
    assert (kept.level, kept.seed) == (level, seed)
    assert np.array_equal(kept.field(), made.field())
    drawn = {bank(scan(name="p1"), below_of(numbers(s))).seed for s in range(20)}
    assert drawn == {bank.get("p1", i).seed for i in range(3)}
    assert [s.state for s in make_bank(cases, tmp_path, maker, per_case=3, seed=5)] == ["kept"] * 2
    with pytest.raises(InputError, match="made with other options"):
        list(make_bank(cases, tmp_path, maker, per_case=4, seed=5))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["p1.safetensors", "p2.safetensors"]


def test_a_bank_of_files_knows_them_again(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import nibabel as nib

    for patient in ("p1", "p2"):
        (tmp_path / patient).mkdir()
        image = nib.Nifti1Image(ball(), tiny.OBLIQUE @ np.diag([1, 1, 1 + (patient == "p2"), 1]))
        nib.save(image, tmp_path / patient / "scan.nii.gz")
    table = tmp_path / "cases.csv"
    table.write_text("image\np1/scan.nii.gz\np2/scan.nii.gz\n")
    out = tmp_path / "bank"
    assert {s.state for s in make_bank(table, out, live(folder), per_case=2)} == {"made"}
    bank = as_source(out)
    assert isinstance(bank, Bank)
    assert bank.names == ("p1-scan", "p2-scan")
    assert bank.find(str(tmp_path / "p2" / "scan.nii.gz")) == "p2-scan"
    assert bank.find("p1-scan") == "p1-scan"
    monkeypatch.chdir(tmp_path / "p1")
    assert bank.find("scan_0000.nii.gz") == bank.find("scan.nii.gz") == "p1-scan"
    for name in ("", "scan", str(tmp_path / "p3" / "scan.nii.gz")):
        with pytest.raises(InputError, match="p1-scan, p2-scan"):
            bank.find(name)


def test_a_case_that_fails_stops_no_other(folder: Path, tmp_path: Path) -> None:
    flat = Case.from_arrays(np.eye(20)[..., None], spacing=1)
    cases = {"flat": flat, "p1": case_of(scan())}
    reported = list(make_bank(cases, tmp_path, live(folder, 3), per_case=1))
    assert [t.state for t in reported] == ["failed", "made"]
    assert "volume" in reported[0].message
    (tmp_path / "p1.safetensors").write_bytes(b"half of it")
    with pytest.raises(InputError, match="cannot be read"):
        Bank(tmp_path).get("p1", 0)
    with pytest.raises(InputError, match="no deformations in this folder"):
        Bank(tmp_path / "none").names  # noqa: B018
