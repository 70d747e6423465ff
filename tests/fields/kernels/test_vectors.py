"""Compiled loops over vectors and lattices, against NumPy and the general sampler."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from src_core.cases.grid import Grid
from src_core.fields.algebra import magnitude
from src_core.fields.measures import lengths
from src_core.fields.planes import field_tensor, from_planes, lps_field
from src_core.fields.sampling import sample_by_torch, sample_lattice

SHAPE = (7, 11, 6)
AFFINE = np.eye(4)
AFFINE[:3, :3] = Rotation.from_euler("xyz", [20, -35, 50], degrees=True).as_matrix() * [1.2, 2, -3]
GRID = Grid(SHAPE, AFFINE)
every_axis = pytest.mark.parametrize("axis", [None, 0, 1, 2])


def field_of(axis: int | None) -> NDArray[np.float32]:
    """A random field in LPS mm that moves nothing along an axis."""
    voxels = np.random.default_rng(0).normal(0, 3, (*SHAPE, 3))
    if axis is not None:
        voxels[..., axis] = 0
    return GRID.to_lps_mm(voxels).astype(np.float32)


@every_axis
def test_a_field_in_voxels_is_that_of_its_grid(axis: int | None) -> None:
    field = field_of(axis)
    found = from_planes(field_tensor(field, GRID, axis), axis).numpy()
    kept = [a for a in range(3) if a != axis]
    expected = np.moveaxis(GRID.to_voxels(field), -1, 0)[kept]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-14)


@every_axis
def test_a_field_goes_to_voxels_and_back(axis: int | None) -> None:
    field = field_of(axis)
    again = lps_field(field_tensor(field, GRID, axis), GRID, axis)
    assert again.dtype == np.float32
    np.testing.assert_allclose(again, field, rtol=0, atol=2e-6)


def test_one_slice_serves_all() -> None:
    one = field_tensor(field_of(1)[:, :1], GRID, 1)
    whole = lps_field(one, GRID, 1)
    assert whole.shape == (*SHAPE, 3)
    assert (whole == whole[:, :1]).all()


def test_a_field_that_may_not_be_written_is_read() -> None:
    field = field_of(None)
    expected = field_tensor(field, GRID, None)
    field.flags.writeable = False
    assert torch.equal(field_tensor(field, GRID, None), expected)


def test_lengths_are_those_of_numpy() -> None:
    field = np.random.default_rng(0).normal(size=(40, 50, 30, 3)).astype(np.float32)
    each = np.linalg.norm(field.astype(np.float64), axis=-1)
    assert lengths(field) == pytest.approx((each.max(), each.mean()), rel=1e-12)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("shape", [(7, 4), (5, 3, 6)])
@pytest.mark.parametrize("scaled", [False, True])
def test_magnitudes_are_euclidean(shape: tuple[int, ...], dtype: torch.dtype, scaled: bool) -> None:
    spacing = [0.7, 2.0, 3.5][: len(shape)] if scaled else None
    u = torch.randn(2, len(shape), *shape, generator=torch.Generator().manual_seed(1), dtype=dtype)
    factors = torch.tensor(spacing or 1.0, dtype=dtype).view(-1, *[1] * len(shape))
    expected = (u * factors).square().sum(1).sqrt()
    torch.testing.assert_close(magnitude(u, spacing), expected)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("shape", [(7, 4), (1, 5), (5, 3, 6), (4, 1, 3)])
def test_a_lattice_has_the_values_of_its_positions(
    shape: tuple[int, ...], dtype: torch.dtype
) -> None:
    source = torch.Generator().manual_seed(1)
    image = torch.randn(2, 3, *shape, generator=source, dtype=dtype)
    axes = [torch.linspace(-1.3, n + 0.4, 5 + a).to(dtype) for a, n in enumerate(shape)]
    at = torch.stack(torch.meshgrid(*axes, indexing="ij"))[None].expand(2, -1, *map(len, axes))
    expected = sample_by_torch(image, at, "linear", "border")
    tolerance = 1e-5 if dtype == torch.float32 else 1e-12
    torch.testing.assert_close(sample_lattice(image, axes), expected, rtol=0, atol=tolerance)


def test_bits_of_a_lattice_depend_on_neither_threads_nor_parts() -> None:
    image = torch.randn(1, 2, 9, 8, 7, generator=torch.Generator().manual_seed(1))
    axes = [torch.linspace(0, n - 1, 60) for n in (9, 8, 7)]
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        whole = sample_lattice(image, axes)
        torch.set_num_threads(3)
        assert torch.equal(sample_lattice(image, axes), whole)
    finally:
        torch.set_num_threads(before)
    part = sample_lattice(image, [axes[0][20:31], axes[1][5:], axes[2][:9]])
    assert torch.equal(part, whole[:, :, 20:31, 5:, :9])
