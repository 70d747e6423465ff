"""Compiled loops over displacement vectors beside NumPy and PyTorch."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from src_core.cases.grid import Grid
from src_core.fields import measures, planes
from src_core.fields.kernels import vectors
from src_core.fields.planes import field_tensor, lps_field
from src_core.fields.sampling import sample_by_torch, sample_lines

OBLIQUE = np.array([[1.1, 0.2, -0.1, 5], [-0.3, 0.9, 0.2, -7], [0.1, -0.2, 2.5, 3], [0, 0, 0, 1]])
GRID = Grid((13, 9, 17), OBLIQUE)


def field() -> np.ndarray:
    return np.random.default_rng(0).normal(scale=5, size=(*GRID.shape, 3)).astype(np.float32)


@pytest.mark.parametrize("axis", [None, 0, 1, 2])
def test_components_are_those_of_the_inverse_matrix(axis: int | None) -> None:
    mm = field()
    u = field_tensor(mm, GRID, axis)
    expected = np.moveaxis(GRID.to_voxels(mm), -1, 0)
    kept = [a for a in range(3) if a != axis]
    if axis is None:
        np.testing.assert_allclose(u[0], expected, atol=1e-12)
    else:
        assert u.shape == (GRID.shape[axis], 2, *(GRID.shape[a] for a in kept))
        np.testing.assert_allclose(u, np.moveaxis(expected[kept], axis + 1, 0), atol=1e-12)


@pytest.mark.parametrize("axis", [None, 0, 1, 2])
@pytest.mark.parametrize("shared", [False, True])
def test_millimetres_come_back_and_are_those_of_numpy(
    axis: int | None, shared: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    u = field_tensor(field(), GRID, axis)
    u = u[:1] if shared and axis is not None else u
    mm = lps_field(u, GRID, axis)
    assert mm.dtype == np.float32 and mm.shape == (*GRID.shape, 3) and mm.flags.c_contiguous
    again = field_tensor(mm, GRID, axis)
    np.testing.assert_allclose(again, u.expand(again.shape), atol=1e-5)
    if axis is not None:
        assert np.abs(GRID.to_voxels(mm)[..., axis]).max() < 1e-5
    monkeypatch.setattr(planes.vectors, "can_convert", lambda: False)
    np.testing.assert_allclose(mm, lps_field(u, GRID, axis), rtol=0, atol=4e-6)
    np.testing.assert_allclose(again, field_tensor(mm, GRID, axis), rtol=0, atol=1e-12)


def test_a_field_that_is_only_read_is_taken() -> None:
    mm = field()
    expected = field_tensor(mm, GRID, 2), measures.lengths(mm)
    mm.flags.writeable = False
    assert torch.equal(field_tensor(mm, GRID, 2), expected[0])
    assert measures.lengths(mm) == expected[1]


def test_lengths_are_those_of_numpy(monkeypatch: pytest.MonkeyPatch) -> None:
    mm = field()[:, ::2]
    expected = np.linalg.norm(mm.astype(np.float64), axis=-1)
    assert measures.lengths(mm) == pytest.approx((expected.max(), expected.mean()), rel=1e-14)
    monkeypatch.setattr(vectors, "can_measure", lambda field: False)
    assert measures.lengths(mm) == pytest.approx((expected.max(), expected.mean()), rel=1e-14)


@pytest.mark.parametrize("shape", [(2, 2, 7, 5), (1, 3, 6, 4, 9)])
def test_values_on_lines_are_those_at_their_points(shape: tuple[int, ...]) -> None:
    values = torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    lines = [torch.linspace(-1.3, n + 0.4, 11 + n, dtype=torch.float64) for n in shape[2:]]
    lines[0][3] = shape[2] - 1
    at = torch.stack(torch.meshgrid(*lines, indexing="ij"))[None]
    expected = sample_by_torch(values, at.expand(len(values), *at.shape[1:]), "linear", "border")
    torch.testing.assert_close(sample_lines(values, lines), expected, rtol=0, atol=1e-12)
    single = sample_lines(values.float(), [line.float() for line in lines])
    torch.testing.assert_close(single, expected.float(), rtol=0, atol=1e-4)


def test_bits_do_not_depend_on_the_number_of_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vectors, "_LEAST", 8)
    before, found = torch.get_num_threads(), []
    values = torch.randn(1, 3, 5, 6, 7, dtype=torch.float64)
    lines = [torch.linspace(0, 5, 23, dtype=torch.float64)] * 3
    for count in (1, 3):
        torch.set_num_threads(count)
        u = field_tensor(field(), GRID, None)
        found.append(
            (u, lps_field(u, GRID, None), measures.lengths(field()), sample_lines(values, lines))
        )
    torch.set_num_threads(before)
    assert torch.equal(found[0][0], found[1][0]) and np.array_equal(found[0][1], found[1][1])
    assert found[0][2] == found[1][2] and torch.equal(found[0][3], found[1][3])
