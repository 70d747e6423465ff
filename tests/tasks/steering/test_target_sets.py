"""Sets of targets as text, and what seeds make of shifts and drags."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from src_core.cases.grid import RAS_TO_LPS, Grid
from src_core.errors import InputError
from src_core.steering.kinds import PlaceTarget, PointTarget
from src_core.steering.targets import parse_target
from src_core.tasks.steering.seeded_targets import targets_of
from src_core.tasks.steering.target_sets import (
    SeededForm,
    TargetSet,
    default_sets,
    parse_sets,
    read_sets,
)
from tests.support import tiny


def ellipse(shape: tuple[int, int, int]) -> np.ndarray:
    """Label 3 within a wall, label 2, off the centre."""
    x, y, z = np.indices(shape) - np.array([22, 31, shape[2] // 2]).reshape(3, 1, 1, 1)
    far = np.sqrt((x / 9) ** 2 + (y / 14) ** 2 + (z / 7) ** 2)
    return np.where(far < 0.6, 3, np.where(far < 1, 2, 0))


def test_a_set_is_read_as_it_is_written() -> None:
    one = TargetSet.parse(" volume 3  x1.3 &hold 1")
    assert str(one) == "volume 3 x1.3 & hold 1" and TargetSet.parse(str(one)) == one
    assert one.parts == (parse_target("volume 3 x1.3"), parse_target("hold 1"))
    assert one.labels == {1, 3}
    seeded = TargetSet.parse("drag 2 8 mm & volume 3 x1.1")
    assert seeded.parts[0] == SeededForm("drag", 2, 8.0) and seeded.labels == {2, 3}
    assert parse_sets("place 3 6 mm; hold 1; place 3 6 mm") == (
        TargetSet.parse("place 3 6 mm"), TargetSet.parse("hold 1"))  # fmt: skip


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("volume 3 x9", "is not possible"),
        ("place 3 0 mm", "moves nothing"),
        ("volume 3 x1.2 & hold 3", "cannot both be"),
        ("drag 3", "is not possible"),
    ],
)
def test_what_is_no_set_is_refused(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        TargetSet.parse(text)


def test_a_file_has_a_set_on_each_line(tmp_path: Path) -> None:
    path = tmp_path / "sets.txt"
    path.write_text("# sizes\nvolume 3 x0.7\n\nvolume 3 x1.3 & hold 1\nvolume 3 x0.7\n")
    assert [s.words for s in read_sets(path)] == ["volume 3 x0.7", "volume 3 x1.3 & hold 1"]
    with pytest.raises(InputError, match=r"cannot be read.*nowhere\.txt"):
        read_sets(tmp_path / "nowhere.txt")


def test_default_sets_are_those_of_the_labels() -> None:
    heart = [s.words for s in default_sets((1, 2, 3), {2: 3})]
    assert heart == [
        "volume 3 x0.7", "volume 3 x0.85", "volume 3 x1.2", "volume 3 x1.4",
        "volume 2 x0.8", "volume 2 x1.25", "volume 1 x0.75", "volume 1 x1.3",
        "thickness 2 +2 mm", "volume 3 x1.3 & hold 1", "place 3 6 mm", "drag 2 8 mm"]  # fmt: skip
    parts = [s.words for s in default_sets((1, 2), {})]
    assert parts[:2] == ["volume 1 x0.7", "volume 1 x0.85"] and parts[-1] == "drag 1 8 mm"
    assert not any("thickness" in words for words in parts)


@pytest.mark.parametrize(("shape", "axis"), [((44, 60, 1), 2), ((44, 60, 17), None)])
def test_a_shift_has_its_length_and_a_direction_of_its_own(shape, axis) -> None:
    grid, labels = Grid(shape, tiny.OBLIQUE), ellipse(shape)
    found = [
        targets_of(TargetSet.parse("place 3 6 mm"), labels, grid, axis, {2: 3}, seed, name)[0]
        for seed in (1, 2)
        for name in ("anna", "bert")
    ]
    shifts = np.array([t.shift for t in found if isinstance(t, PlaceTarget)])
    assert np.linalg.norm(shifts, axis=1) == pytest.approx([6] * 4, abs=2e-3)
    assert len(np.unique(shifts.round(2), axis=0)) == 4
    if axis is not None:
        assert np.abs(grid.to_voxels(shifts)[:, axis]).max() < 1e-3


@pytest.mark.parametrize(("shape", "axis"), [((44, 60, 1), 2), ((44, 60, 17), None)])
def test_a_drag_pulls_a_point_of_the_outline_outwards_and_pins_three(shape, axis) -> None:
    grid, labels = Grid(shape, tiny.OBLIQUE), ellipse(shape)
    centre = RAS_TO_LPS * (grid.affine @ [*np.argwhere(labels > 0).mean(0), 1])[:3]
    for seed in range(1, 6):
        found = targets_of(TargetSet.parse("drag 2 8 mm"), labels, grid, axis, {2: 3}, seed, "a")
        starts = np.array([t.start for t in found if isinstance(t, PointTarget)])
        ends = np.array([t.end for t in found if isinstance(t, PointTarget)])
        moves = np.linalg.norm(ends - starts, axis=1)
        assert moves == pytest.approx([8, 0, 0, 0], abs=2e-3) and len(starts) == 4
        out = np.linalg.norm(ends[0] - centre) - np.linalg.norm(starts[0] - centre)
        assert out > 6
        ras = np.c_[starts * RAS_TO_LPS, np.ones(4)]
        voxels = np.linalg.solve(grid.affine, ras.T)[:3].T.round().astype(int)
        assert all(labels[tuple(v)] == 2 for v in voxels)
        apart = np.linalg.norm(starts[:, None] - starts, axis=2)[np.triu_indices(4, 1)]
        assert apart.min() > 3
