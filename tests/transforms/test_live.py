"""Live deformations: the field of ``generate``, drawn from its numbers alone."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from src_core import generate, load_model
from src_core.errors import InputError
from src_core.transforms import (
    Bank,
    Live,
    Scan,
    make_bank,
    random_deform,
)
from src_core.transforms.tensors import below_of
from tests.support import tiny
from tests.support.deformations import case_of, numbers
from tests.support.loops import SHAPE, ball, live, scan, untouched


@pytest.mark.parametrize(
    ("ndim", "slices", "steps"),
    [(2, "shared", None), (2, "shared", 5), (2, "each", 3), (3, "shared", 2)],
)
def test_a_live_deformation_is_what_generate_makes(
    folder: Path, ndim: int, slices: Any, steps: int | None
) -> None:
    maker = live(folder, ndim, slices=slices, steps=steps)
    case = case_of(scan())
    made = maker.make(Scan(case.image, case.grid), 60, 7)
    options = {"level": 60, "seed": 7, "slices": slices, "steps": steps}
    result = generate(case, load_model(maker.model, "cpu"), **options)
    assert np.array_equal(made.field(), result.displacement)
    assert result.metrics["max_mm"] > 1
    assert made.u.shape[:2] == (SHAPE[2] if slices == "each" else 1, ndim)
    placed = made.on(case.grid)
    moved = placed.image(torch.from_numpy(case.image)[None])[0].numpy()
    assert np.abs(moved - result.case.image).max() < 2e-3
    maps = placed.labels(torch.from_numpy(case.label_map)[None])[0].numpy()
    assert maps.dtype == np.uint8
    assert (maps != result.case.label_map).mean() < 1e-4
    assert len(np.unique(maps)) == 3


def test_what_comes_near_to_folding_is_guarded_as_by_generate(folder: Path) -> None:
    case, maker = case_of(scan((48, 64, 1))), live(folder, steps=2)
    one, model = Scan(case.image, case.grid), load_model(maker.model, "cpu")
    guarded = set()
    for seed in range(6):
        result = generate(case, model, level=80, seed=seed, steps=2)
        assert np.array_equal(maker.make(one, 80, seed).field(), result.displacement)
        guarded.add(result.metrics["guard_scale"] < 1)
    assert guarded == {True, False}


def test_a_draw_depends_on_its_numbers_alone(folder: Path) -> None:
    one, maker = scan(), live(folder, levels=(20, 40))
    with untouched():
        first = maker(one, below_of(numbers(3)))
        assert np.array_equal(maker(one, below_of(numbers(3))).u, first.u)
        drawn = {(d.level, d.seed) for d in (maker(one, below_of(numbers(s))) for s in range(6))}
    assert len(drawn) == 6
    assert all(20 <= level <= 40 for level, _ in drawn)


def test_loading_and_drawing_leave_all_global_random_numbers_alone(tmp_path: Path) -> None:
    maker = live(tmp_path)
    with untouched():
        made = maker(scan(), below_of(numbers()))
        made.on(made.grid, inverse=True)
        list(make_bank({"p1": case_of(scan())}, tmp_path / "bank", maker, per_case=1))
        Bank(tmp_path / "bank")(scan(name="p1"), below_of(numbers()))


def test_images_that_a_loop_may_meet(folder: Path) -> None:
    maker = live(folder)
    empty = Scan(np.full(SHAPE, 7, np.int16), scan().grid)
    assert np.isfinite(maker.make(empty, 40, 1).u).all()
    assert not maker.make(scan(), 0, 1).u.any()
    broken = ball()
    broken[3, 3, 3] = np.nan
    with pytest.raises(InputError, match="NaN"):
        maker.make(Scan(broken, scan().grid), 40, 1)
    with pytest.raises(InputError, match="level 99"):
        maker.make(scan(), 99, 1)


def test_sources_are_small_to_send(folder: Path, tmp_path: Path) -> None:
    maker = live(folder)
    maker.loaded()
    assert len(pickle.dumps(maker)) < 1000
    assert pickle.loads(pickle.dumps(maker)) == maker == Live(maker.model)
    list(make_bank({"p1": case_of(scan())}, tmp_path, maker, per_case=1))
    bank = Bank(tmp_path)
    bank.get(bank.names[0], 0)
    assert len(pickle.dumps(bank)) < 1000
    values = torch.from_numpy(ball())[None]
    unplaced = random_deform(values, source=bank, generator=numbers(), name="p1")
    placed = random_deform(values, source=bank, generator=numbers(), name="p1", affine=tiny.OBLIQUE)
    assert torch.equal(unplaced.image, placed.image)
