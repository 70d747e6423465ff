"""A bank by nnU-Net's case names, and what does not fit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from src_core.cases.grid import Grid
from src_core.errors import InputError
from src_core.transforms import Bank
from src_core.transforms.nnunet.case_bank import CaseBank
from tests.support import tiny
from tests.support.stored_bank import bank_of

GRID = Grid((20, 16, 6), tiny.OBLIQUE)
PROPERTIES: dict[str, Any] = {
    "shape_before_cropping": (6, 16, 20),
    "bbox_used_for_cropping": [[0, 6], [2, 14], [3, 19]],
    "shape_after_cropping_and_before_resampling": (6, 12, 16),
}
SHAPE = (6, 24, 16)


def constant(*voxels: float) -> np.ndarray:
    return GRID.to_lps_mm(np.broadcast_to(np.array(voxels), (*GRID.shape, 3)))


@pytest.fixture
def bank(tmp_path: Path) -> Bank:
    within, across = constant(2, 1, 0), constant(0, 0, 1)
    fields = {"p1": (GRID, [within, -within]), "p2": (GRID, [across])}
    return Bank(bank_of(tmp_path / "bank", fields))


def test_each_deformation_of_a_case_can_be_drawn(bank: Bank) -> None:
    cases = CaseBank(bank, (0, 1, 2), True)
    for sign, below in ((1, lambda n: n - 2), (-1, lambda n: n - 1)):
        field = cases.draw("p1", PROPERTIES, SHAPE, below)
        moved = field.at(torch.tensor([[1.0, 5.0, 7.0]]))
        assert torch.allclose(moved, sign * torch.tensor([[0.0, 2.0, 2.0]]), atol=1e-4)
        assert field.reach == (0, 2, 2)


def test_a_source_has_its_own_name_and_variants_have_none(bank: Bank) -> None:
    cases = CaseBank(bank, (0, 1, 2), True)
    assert [cases.find(name) for name in ("p1", "p1-000", "p1-001", "p3")] == ["p1", "p1"] + [
        None
    ] * 2
    assert cases.draw("p1-001", PROPERTIES, SHAPE, lambda n: 0) is None
    assert cases.matched(["p3", "p2", "p1-000", "p1-001"]) == ["p2", "p1-000"]


def test_a_bank_of_other_cases_is_refused(bank: Bank, tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"none of the 2 training cases \(p7, p9\) is in it.* p1, p2"
    ):
        CaseBank(bank, (0, 1, 2), True).matched(["p9", "p7"])
    with pytest.raises(InputError, match="there are no deformations in this folder"):
        CaseBank(Bank(tmp_path / "none"), (0, 1, 2), True).matched(["p1"])


def test_deformations_across_slices_are_refused_in_2d_alone(bank: Bank) -> None:
    with pytest.raises(
        InputError, match=r"move across the slices .* make the bank with a 2D model"
    ):
        CaseBank(bank, (0, 1, 2), True).draw("p2", PROPERTIES, SHAPE, lambda n: 0)
    field = CaseBank(bank, (0, 1, 2), False).draw("p2", PROPERTIES, SHAPE, lambda n: 0)
    assert field.reach == (1, 0, 0)


def test_deformations_of_another_grid_are_refused(bank: Bank) -> None:
    other = {**PROPERTIES, "shape_before_cropping": (6, 16, 21)}
    with pytest.raises(InputError, match=r"p1, .*bank"):
        CaseBank(bank, (0, 1, 2), True).draw("p1", other, SHAPE, lambda n: 0)
