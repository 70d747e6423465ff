"""Fields between subjects in a folder: which pairs, made once, used again."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch

from src_core.cli import run
from src_core.datasets.reading import Entry, read_dataset
from src_core.errors import InputError
from src_core.evaluation.cases import load_case
from src_core.evaluation.registered import bank as banks
from src_core.evaluation.registered.bank import BankPlan, RegisteredBank, fill_bank, plan_bank
from src_core.evaluation.registered.pairs import pairs_of
from src_core.models.model import ModelSpec
from tests.support.evaluations import QUICK
from tests.support.files import rows_of
from tests.support.tiny import unet

pytest.importorskip("SimpleITK")
LABELS = (1, 2, 3)


@pytest.fixture(scope="module")
def spec() -> ModelSpec:
    return unet().spec


@pytest.fixture(scope="module")
def entries(data: Path) -> list[Entry]:
    return [e for e in read_dataset(data) if e.split == "train"]


@pytest.fixture(scope="module")
def filled(
    entries: list[Entry], spec: ModelSpec, tmp_path_factory: pytest.TempPathFactory
) -> BankPlan:
    folder = tmp_path_factory.mktemp("registered") / "bank"
    plan = plan_bank(folder, entries, 5, LABELS, 2)
    assert list(fill_bank(plan, entries, spec)) == [0, 1, 2, 3, 4, 5]
    return plan


def test_pairs_are_of_two_subjects_and_spread() -> None:
    entries = [
        Entry(Path(f"p{s}_frame0{t}.nii.gz"), None, f"p{s}") for s in range(4) for t in (1, 2)
    ]
    pairs = pairs_of(entries, 8)
    assert len(set(pairs)) == 8 and all(len(set(p.subjects)) == 2 for p in pairs)
    assert set(Counter(p.moving for p in pairs[:4]).values()) == {1}
    assert pairs_of(entries, 8) == pairs
    assert pairs_of(entries[:2], 8) == []


def test_labels_meet_in_the_registered_fields(filled: BankPlan) -> None:
    for index in range(5):
        _, facts = banks._read(filled.path(index))
        assert min(facts["dice"][1:]) > 0.9  # label 1 lies at the border, some of it beyond
        assert sum(facts["dice"]) >= sum(facts["dice_aligned"]) - 1e-5


def test_a_finished_bank_is_read_and_a_missing_field_made_again(
    filled: BankPlan, entries: list[Entry], spec: ModelSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    again = plan_bank(filled.folder, entries, 3, LABELS, 2)
    assert again == filled
    before = filled.path(3).read_bytes()
    filled.path(3).unlink()
    with pytest.raises(InputError, match="another data set"):
        plan_bank(filled.folder, entries[:2], 3, LABELS, 2)
    assert list(fill_bank(again, entries, spec)) == [4, 5]
    assert filled.path(3).read_bytes() == before
    monkeypatch.setattr(banks, "demons", None)
    assert list(fill_bank(again, entries, spec)) == [5]
    assert plan_bank(filled.folder, [], 3, LABELS, 2) == filled


def test_a_bank_of_other_labels_or_a_damaged_one_is_refused(
    filled: BankPlan, entries: list[Entry], tmp_path: Path
) -> None:
    for labels, ndim in (((1, 2), 2), (LABELS, 3)):
        with pytest.raises(InputError, match="other labels or another dimension"):
            plan_bank(filled.folder, entries, 5, labels, ndim)
    (tmp_path / "frame.safetensors").write_bytes(b"no frame")
    with pytest.raises(InputError, match="no file of fields"):
        plan_bank(tmp_path, entries, 5, LABELS, 2)


def test_a_case_gets_the_fields_of_others_each_seed_its_own(
    filled: BankPlan, entries: list[Entry], data: Path, spec: ModelSpec
) -> None:
    bank = RegisteredBank(filled, spec.state)
    own = load_case(entries[0], spec, LABELS)
    between_others = [p for p in filled.pairs if own.subject not in p.subjects]
    found = [bank.field(own, seed) for seed in range(1, 6)]
    assert sum(u is not None for u in found) == len(between_others) < 5
    case = load_case(read_dataset(data)[0], spec, LABELS)
    assert bank.field(case, 6) is None
    fields = [u for u in (bank.field(case, seed) for seed in range(1, 6)) if u is not None]
    assert len({u.numpy().tobytes() for u in fields}) == 5
    again = RegisteredBank(filled, spec.state).field(case, 2)
    assert again is not None and torch.equal(fields[1], again)
    areas = [float((case.warped(u)[1] == 3).sum()) for u in fields]
    assert np.ptp(areas) > 0.2 * np.mean(areas)


@pytest.mark.usefixtures("undrawn")
def test_an_evaluation_has_the_row_and_uses_its_bank_again(
    model: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = [
        "evaluate",
        str(model),
        str(data),
        *QUICK,
        "--steps",
        "1",
        "--rows",
        "random,registered",
    ]
    bank = ["--registered", str(tmp_path / "bank"), "--registered-fields", "3"]
    assert run([*call, *bank, "--out", str(tmp_path / "a")]) == 0
    monkeypatch.setattr(banks, "demons", None)
    assert run([*call, *bank, "--out", str(tmp_path / "b")]) == 0
    records = [(tmp_path / name / "records.jsonl").read_text() for name in "ab"]
    assert records[0] == records[1]
    table = [r for r in rows_of(tmp_path / "a" / "table1.csv") if r["row"] == "registered"]
    assert [(r["level"], r["n"]) for r in table] == [("40", "8"), ("70", "8")]
    assert table[0]["mean_mean"] == table[1]["mean_mean"] and float(table[0]["mean_mean"]) > 0
    measured = {
        r["measure"] for r in rows_of(tmp_path / "a" / "measures.csv") if r["row"] == "registered"
    }
    assert {"energy_8", "removed_8", "strict", "ellipse 2+3", "shared"} <= measured
    report = json.loads((tmp_path / "a" / "evaluation.json").read_text())
    assert "registered" not in report["absent"]
