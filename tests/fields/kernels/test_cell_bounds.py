"""The compiled certificate beside PyTorch's, and on cells made to mislead it."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from src_core.fields import Certificate, cell_bounds, certificate, certify
from src_core.fields.kernels.cell_bounds import centre_bounds_3d, coefficients_3d
from src_core.fields.kernels.certificate import bounds, can_bound

SHAPES = [(2, 23, 34), (3, 12, 9, 15)]


def noise(shape: tuple[int, ...], scale: float, seed: int = 0) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).normal(scale=scale, size=shape))


def by_torch(u: torch.Tensor, monkeypatch: pytest.MonkeyPatch) -> Certificate:
    with monkeypatch.context() as patch:
        patch.setattr(certificate.compiled, "can_bound", lambda ndim: False)
        return certify(u[None])[0]


def smallest_of_samples(u: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """Least determinant at the corners and at random places of every cell, by weights: (*cells)."""
    ndim = len(u)
    corners = np.array(list(product((0.0, 1.0), repeat=ndim)))
    places = np.concatenate([corners, np.random.default_rng(1).random((count, ndim))])
    least = np.full([n - 1 for n in u.shape[1:]], np.inf)
    for place in places:
        matrix = np.zeros((*least.shape, ndim, ndim)) + np.eye(ndim)
        for corner in product((0, 1), repeat=ndim):
            window = tuple(slice(1, None) if bit else slice(None, -1) for bit in corner)
            share = [t if bit else 1 - t for bit, t in zip(corner, place, strict=True)]
            for axis, bit in enumerate(corner):
                others = np.prod([s for i, s in enumerate(share) if i != axis])
                value = np.moveaxis(u[(slice(None), *window)], 0, -1)
                matrix[..., :, axis] += value * others * (1 if bit else -1)
        least = np.minimum(least, np.linalg.det(matrix))
    return least


def test_the_loops_are_compiled_here() -> None:
    assert can_bound(2) and can_bound(3)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("scale", [0.03, 0.1, 0.2, 0.6])
@pytest.mark.parametrize("seed", range(5))
def test_it_is_the_certificate_of_torch(
    shape: tuple[int, ...], scale: float, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    u = noise(shape, scale, seed)
    expected, (found,) = by_torch(u, monkeypatch), certify(u[None])
    assert found.min_det == pytest.approx(expected.min_det, abs=1e-12)
    assert found.bad_cells == expected.bad_cells and found.cells == expected.cells
    assert found.low_cells == expected.low_cells


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("seed", range(4))
def test_no_field_that_folds_between_voxels_is_certified(shape: tuple[int, ...], seed: int) -> None:
    # One voxel of a quiet field is moved, farther and farther, until a cell beside it folds.
    ndim, rng = len(shape) - 1, np.random.default_rng(seed)
    direction = rng.normal(size=ndim)
    at = (slice(None), *[int(rng.integers(1, n - 1)) for n in shape[1:]])
    certified = []
    for length in np.linspace(0.3, 1.2, 40):
        u = noise(shape, 0.01, seed).numpy()
        u[at] += length * direction / np.linalg.norm(direction)
        found = bounds(torch.from_numpy(u), 0.01).numpy()
        sampled = smallest_of_samples(u, 30)
        assert (found <= sampled + 1e-12).all()
        assert not ((found > 0) & (sampled <= 0)).any()
        certified.append(certify(torch.from_numpy(u)[None])[0].certified)
    assert certified[0] and not certified[-1]


@pytest.mark.parametrize("ndim", [2, 3])
def test_cells_that_are_nearly_flat_are_decided_as_their_smallest_determinant(ndim: int) -> None:
    for gap in (-1e-9, -1e-13, 1e-13, 1e-9):
        # Planes along the last axis come together to the floor's distance, and a hair more or less.
        u = torch.zeros(1, ndim, *[6, 5, 7][:ndim], dtype=torch.float64)
        u[0, -1, ..., 3:] = -0.99 + gap
        (found,) = certify(u, floor=0.01)
        assert found.min_det == pytest.approx(0.01 + gap, abs=1e-15)
        assert found.certified == (gap > 0)
        assert certify(u, floor=1e-3)[0].certified and found.bad_cells == 0


@pytest.mark.parametrize("shape", SHAPES)
def test_bits_do_not_depend_on_threads_or_memory(
    shape: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("src_core.fields.kernels.certificate._LEAST", 8)
    u, before, found = noise(shape, 0.15), torch.get_num_threads(), []
    turned = u.transpose(1, -1).contiguous().transpose(1, -1)
    for count in (1, 2, 3):
        torch.set_num_threads(count)
        found += [cell_bounds(one[None])[0] for one in (u, turned)]
    torch.set_num_threads(before)
    assert all(torch.equal(other, found[0]) for other in found[1:])


@pytest.mark.parametrize("largest", [0.1, 1.0, 8.0])
def test_the_bound_from_the_centre_never_exceeds_the_coefficients(largest: float) -> None:
    # Cells in a row, each moved in one or two of a cell's four mixed differences only.
    rng, signs = np.random.default_rng(2), np.array(list(product((-1.0, 1.0), repeat=3)))
    s, t, r = np.moveaxis(signs.reshape(2, 2, 2, 3), -1, 0)
    modes = np.stack((s * t, s * r, t * r, s * t * r))
    amounts = rng.uniform(-largest, largest, (3, 2000, 4)) * (rng.random((2000, 4)) < 0.4)
    cells = np.einsum("cnm,mijk->cnijk", amounts, modes).reshape(3, 4000, 2, 2)
    cells = cells + rng.normal(scale=largest / 4, size=(3, 4000, 1, 1))
    cheap, doubtful = np.empty((3999, 1, 1)), np.empty(3999)
    centre_bounds_3d(cells, 0, 3999, cheap, doubtful)
    exact = np.full_like(cheap, -np.inf)
    coefficients_3d(cells, 0, 3999, np.inf, exact)
    assert (cheap <= exact + 1e-9 * max(1, largest**3)).all()
    np.testing.assert_array_equal(doubtful, exact[:, 0, 0])
    assert np.abs(cheap - exact).min() < 1e-12 < np.abs(cheap - exact).max()


def test_a_smooth_field_needs_few_coefficients(monkeypatch: pytest.MonkeyPatch) -> None:
    u = np.stack([gaussian_filter(one, 4.0) for one in noise((3, 30, 28, 26), 1.0).numpy()])
    u = torch.from_numpy(u * 4 / np.abs(u).max())
    cheap, doubtful = np.empty((29, 27, 25)), np.empty(29)
    centre_bounds_3d(u.numpy(), 0, 29, cheap, doubtful)
    below = max(float(doubtful.min()), 0.01)
    assert 0 < (cheap < below).sum() < 200
    assert (bounds(u, 0.01).numpy() == np.where(cheap < below, bounds(u, 1e9).numpy(), cheap)).all()
