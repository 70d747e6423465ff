"""The random velocity: its second moments in closed form (paper eq. 6 to 8), and its seeds."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from src_core.diffusion.kinds import random_field
from src_core.diffusion.random_field import generator
from src_core.diffusion.schedule import Schedule

SCHEDULE = Schedule()
FIELD = random_field(SCHEDULE)
DRAWS, CHUNK = 10_000, 500
#: Positions (row, column) whose moments are measured, and shifts between two of them.
PLACES = np.array([(20, 24), (23, 33), (30, 17), (35, 38)])
SHIFTS = [(1, 0), (0, 1), (1, 1), (2, 2), (4, 1), (3, 4), (8, 0), (8, 8), (5, 16), (16, 16)]


def interpolation(size: int, side: int) -> NDArray[np.float64]:
    """(side, size): linear weights of voxel centres that share the outer edges, borders held."""
    at = np.clip((np.arange(side) + 0.5) * size / side - 0.5, 0, size - 1)
    low = np.minimum(at.astype(int), size - 2)
    weights = np.zeros((side, size))
    weights[np.arange(side), low] = 1 - (at - low)
    weights[np.arange(side), low + 1] = at - low
    return weights


def covariance(
    schedule: Schedule, x: NDArray[np.int64], y: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Of one component of v at (N, D) positions: sum_k (c / n_k)^2 prod_axis (W_k W_k^T)."""
    total = np.zeros(len(x))
    for size in schedule.components:
        weights = interpolation(size, schedule.control)
        gram = weights @ weights.T
        total += (schedule.control / size) ** 2 * np.prod(gram[x, y], axis=1)
    return total * (schedule.sigma * schedule.control) ** 2


def difference_variance(x: NDArray[np.int64], y: NDArray[np.int64]) -> NDArray[np.float64]:
    return sum(covariance(SCHEDULE, p, p) for p in (x, y)) - 2 * covariance(SCHEDULE, x, y)


@pytest.fixture(scope="module")
def values() -> NDArray[np.float64]:
    """10,000 velocities, (2 * DRAWS, 64, 64): both components, which are independent alike."""
    source, parts = torch.Generator().manual_seed(20), []
    for _ in range(DRAWS // CHUNK):
        noise = [torch.randn(CHUNK, 2, n, n, generator=source) for n in SCHEDULE.components]
        field = FIELD.velocity(tuple(noise))
        parts.append(field[:, :, 16:56, 16:56].flatten(0, 1))
    return torch.cat(parts).double().numpy()


def at(values: NDArray[np.float64], places: NDArray[np.int64]) -> NDArray[np.float64]:
    return values[:, places[:, 0] - 16, places[:, 1] - 16]


def test_variance_at_a_position(values: NDArray[np.float64]) -> None:
    found = at(values, PLACES).var(axis=0)
    np.testing.assert_allclose(found, covariance(SCHEDULE, PLACES, PLACES), rtol=0.05)
    assert abs(at(values, PLACES).mean(axis=0)).max() < 5 * np.sqrt(found.max() / (2 * DRAWS))


@pytest.mark.parametrize("shift", SHIFTS, ids=str)
def test_variance_of_a_difference(values: NDArray[np.float64], shift: tuple[int, int]) -> None:
    other = PLACES + np.array(shift)
    found = (at(values, PLACES) - at(values, other)).var(axis=0)
    np.testing.assert_allclose(found, difference_variance(PLACES, other), rtol=0.06)


def test_differences_grow_with_chebyshev_distance(values: NDArray[np.float64]) -> None:
    """The mean over all shifts of one Chebyshev length and all phases of the coarsest component."""
    corner = np.stack(np.meshgrid(np.arange(24, 32), np.arange(24, 32)), -1).reshape(-1, 2)
    means = []
    for distance in (1, 2, 3, 4, 6, 8):
        square = np.stack(np.meshgrid(*[np.arange(-distance, distance + 1)] * 2), -1).reshape(-1, 2)
        ring = square[np.abs(square).max(axis=1) == distance]
        expected = [difference_variance(corner, corner + s).mean() for s in ring]
        found = [(at(values, corner) - at(values, corner + s)).var() for s in ring[::5]]
        np.testing.assert_allclose(found, expected[::5], rtol=0.06)
        means.append(np.mean(expected))
    assert (np.diff(means) > 0).all()


def test_components_of_the_vector_are_independent(values: NDArray[np.float64]) -> None:
    first, second = (at(values, PLACES).reshape(-1, CHUNK, 2, 4)[:, :, i] for i in range(2))
    correlation = np.corrcoef(first.ravel(), second.ravel())[0, 1]
    assert abs(correlation) < 0.02


@pytest.mark.parametrize("ndim", [2, 3])
def test_the_sum_is_that_of_its_interpolated_components(ndim: int) -> None:
    schedule = Schedule(control=16, components=(16, 8, 4), sigma=1e-3)
    noise = random_field(schedule).draw(ndim, generator(3))
    expected = np.zeros((ndim, *[16] * ndim))
    for eps in noise:
        part = eps[0].double().numpy()
        assert part.shape == (ndim, *[eps.shape[-1]] * ndim)
        weights = interpolation(eps.shape[-1], 16)
        for axis in range(1, ndim + 1):
            part = np.moveaxis(np.tensordot(weights, part, (1, axis)), 0, axis)
        expected += 16 / eps.shape[-1] * part * 1e-3 * 16
    found = random_field(schedule).velocity(noise)[0].numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-7)


def test_the_unit_is_the_sum_of_the_components_variances() -> None:
    assert FIELD.unit == pytest.approx(3.6e-5 * 64 * 85**0.5)


def test_a_seed_fixes_the_draws_whatever_the_global_generator_does() -> None:
    torch.manual_seed(1)
    before = FIELD.draw(2, generator(7))
    torch.manual_seed(2)
    torch.randn(10)
    state = torch.random.get_rng_state()
    numpy_state = np.random.get_state()[1].copy()
    again = FIELD.draw(2, generator(7))
    assert all(torch.equal(a, b) for a, b in zip(before, again, strict=True))
    assert torch.equal(torch.random.get_rng_state(), state), "the global generator was used"
    assert np.array_equal(np.random.get_state()[1], numpy_state)


def test_seeds_and_sub_seeds_are_all_different() -> None:
    # Trailing zeros are left out: NumPy's SeedSequence takes (1,) and (1, 0) for one another.
    seeds = [(0,), (0, 1), (1,), (1, 1), (1, 2), (2,), (2, 1), (2**63 - 1,), (1, 0, 1)]
    firsts = {float(torch.randn(1, generator=generator(*s))) for s in seeds}
    assert len(firsts) == len(seeds)


def test_draws_come_finest_first_with_unit_variance() -> None:
    noise = FIELD.draw(3, generator(5))
    assert [tuple(eps.shape) for eps in noise] == [(1, 3, n, n, n) for n in SCHEDULE.components]
    assert float(noise[0].var()) == pytest.approx(1, abs=0.01)
