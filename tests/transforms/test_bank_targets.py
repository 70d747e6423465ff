"""Banks whose deformations reach targets: the same for all, or drawn for each."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from src_core.augment.population import REACH
from src_core.cases.case import Case
from src_core.errors import InputError
from src_core.transforms import Bank, Live, make_bank, random_deform
from tests.support import tiny
from tests.support.rings import oblique, ring, save_ring


def ring_case(radius: float) -> Case:
    image, labels = ring(radius)
    return Case.from_arrays(image, labels, affine=oblique())


def sizes(bank: Bank, name: str, case: Case) -> np.ndarray:
    """Factors on the size of label 3 under each deformation of a case."""
    assert case.label_map is not None
    labels = torch.from_numpy(case.label_map.astype(np.int64))[None]
    new = [bank.get(name, i).on(case.grid).labels(labels) for i in range(bank.count(name))]
    return np.array([float((n == 3).sum()) for n in new]) / float((labels == 3).sum())


@pytest.fixture
def live(tmp_path: Path) -> Live:
    return Live(tiny.save(tmp_path / "model"), levels=(30, 40), steps=None)


def test_the_same_target_for_all(live: Live, tmp_path: Path) -> None:
    from dataclasses import replace

    case, asked = ring_case(7), replace(live, targets=("volume 3 x1.3",))
    stored = list(make_bank({"p1": case}, tmp_path / "bank", asked, per_case=3))
    assert [(s.state, s.message) for s in stored] == [("made", "")]
    assert sizes(Bank(tmp_path / "bank"), "p1", case) == pytest.approx([1.3] * 3, rel=0.04)
    with pytest.raises(InputError, match="made with other options"):
        list(make_bank({"p1": case}, tmp_path / "bank", live, per_case=3))


def test_a_measure_is_drawn_for_each_and_transforms_draw_from_the_bank(
    live: Live, tmp_path: Path
) -> None:
    case, out = ring_case(7), tmp_path / "bank"
    spread = ("volume 3: x0.7..1.4",)
    assert [s.state for s in make_bank({"p1": case}, out, live, per_case=4, spread=spread)] == [
        "made"
    ]
    found = sizes(Bank(out), "p1", case)
    assert 0.66 < found.min() < 0.95 and 1.15 < found.max() < 1.46
    assert [s.state for s in make_bank({"p1": case}, out, live, per_case=4, spread=spread)] == [
        "kept"
    ]
    drawn = random_deform(
        torch.from_numpy(case.image.astype(np.float32))[None], source=out, name="p1",
        generator=torch.Generator().manual_seed(1), affine=case.grid.affine)  # fmt: skip
    assert drawn.deformation.seed in {Bank(out).get("p1", i).seed for i in range(4)}


def test_a_bank_follows_another_data_set(live: Live, tmp_path: Path) -> None:
    for number, radius in enumerate((5.0, 6, 7)):
        save_ring(tmp_path / "scans", f"real{number}", radius)
    case = ring_case(6)
    wanted = {"spread": (), "like": tmp_path / "scans"}
    stored = list(make_bank({"p1": case}, tmp_path / "bank", live, per_case=3, **wanted))
    assert [(s.state, s.message) for s in stored] == [("made", "")]
    low, high = REACH["volume"]
    found = sizes(Bank(tmp_path / "bank"), "p1", case)
    assert low < found.min() < 0.95 and 1.05 < found.max() < high
