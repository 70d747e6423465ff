"""Windows around regions: compiled distances and cosines against SciPy's."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy import ndimage
from torch import Tensor

from src_core.fields.fading import fading_windows, windows_by_scipy
from src_core.fields.kernels.fading import squared_distances

SHAPES = [(40, 57), (1, 9), (17, 30, 23)]


def maps(shape: tuple[int, ...], count: int = 4) -> Tensor:
    rng = np.random.default_rng(3)
    noise = [ndimage.gaussian_filter(rng.random(shape), 2) ** 8 for _ in range(count)]
    return torch.from_numpy(np.stack(noise)).float().contiguous()


def halves(values: Tensor) -> list[float]:
    return [0.5 * float(one.max()) for one in values]


@pytest.mark.parametrize("shape", SHAPES)
def test_distances_are_exact_up_to_the_reach(shape: tuple[int, ...]) -> None:
    values, reach = maps(shape), 9.0
    found = squared_distances(values, halves(values), [reach] * len(values))
    for one, least, squares in zip(values.numpy(), halves(values), found.numpy(), strict=True):
        expected = ndimage.distance_transform_edt(one < np.float32(least)) ** 2
        near = expected < reach**2
        np.testing.assert_array_equal(squares[near], expected[near].round())
        assert (squares[~near] >= reach**2).all()


@pytest.mark.parametrize("shape", SHAPES)
def test_windows_agree_with_scipy(shape: tuple[int, ...]) -> None:
    values = maps(shape)
    least = [*halves(values)[:-1], math.inf]
    chosen = least, [7.3, 4.0, 11.0, 8.0], [(0, 1), (0, 3), (1, 2)], 3.5
    found = fading_windows(values, *chosen)
    np.testing.assert_allclose(found, windows_by_scipy(values, *chosen), atol=1e-6)
    assert not found[-1].any()
    assert float(found.amin()) == 0
    assert float(found.amax()) == 1


def test_a_window_falls_as_half_a_cosine_and_ends_at_its_reach() -> None:
    values = torch.zeros(1, 1, 30)
    values[0, 0, 4] = 1
    window = fading_windows(values, [0.5], [8.0])[0, 0]
    expected = [0.5 + 0.5 * math.cos(math.pi * min(n / 8, 1)) for n in range(26)]
    np.testing.assert_allclose(window[4:], expected, atol=1e-7)
    assert not window[12:].any()


def test_no_region_and_no_reach_are_no_window() -> None:
    values = torch.ones(2, 5, 6)
    assert not fading_windows(values, [math.inf, 0.5], [3.0, 0.0]).any()


def test_bits_do_not_depend_on_the_number_of_threads() -> None:
    values = maps((40, 33, 32), 3)
    before, found = torch.get_num_threads(), []
    try:
        for count in (1, 2, 3):
            torch.set_num_threads(count)
            found.append(fading_windows(values, halves(values), [5.0, 9.0, 4.0], [(0, 2)], 3.0))
    finally:
        torch.set_num_threads(before)
    assert torch.equal(found[0], found[1])
    assert torch.equal(found[0], found[2])
