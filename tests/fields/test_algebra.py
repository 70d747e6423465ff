"""Displacements as a group: against affine maps, matrix exponentials and each other."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.linalg import expm
from scipy.ndimage import gaussian_filter
from torch import Tensor

from src_core.errors import ArgumentError
from src_core.fields import compose, enlarge, exponential, magnitude, squarings_for
from src_core.fields.sampling import identity

SHAPES = [(40, 56), (30, 38, 34)]
every_shape = pytest.mark.parametrize("shape", SHAPES, ids=["2D", "3D"])


def grid(shape: tuple[int, ...]) -> Tensor:
    return identity(shape, torch.zeros(1, dtype=torch.float64))


def affine(shape: tuple[int, ...], matrix: np.ndarray, shift: np.ndarray) -> Tensor:
    """u of ``phi(x) = matrix (x - centre) + centre + shift``."""
    x = grid(shape).flatten(2)
    centre = (torch.tensor(shape, dtype=torch.float64)[:, None] - 1) / 2
    linear = torch.from_numpy(matrix) @ (x - centre) + centre + torch.from_numpy(shift)[:, None]
    return (linear - x).reshape(1, len(shape), *shape)


def middle(shape: tuple[int, ...], share: float = 0.5) -> tuple[slice, ...]:
    """The centre of a grid, where borders are out of reach."""
    cut = [round(n * (1 - share) / 2) for n in shape]
    return (slice(None), slice(None), *(slice(c, n - c) for c, n in zip(cut, shape, strict=True)))


def smooth(shape: tuple[int, ...], seed: int, largest: float = 1.5, blur: float = 5.0) -> Tensor:
    """A smooth random field that vanishes towards the borders, voxels."""
    rng = np.random.default_rng([seed, len(shape)])
    noise = gaussian_filter(rng.normal(size=(len(shape), *shape)), [0, *[blur] * len(shape)])
    for axis, n in enumerate(shape, start=1):
        fade = np.sin(np.pi * np.arange(n) / (n - 1)) ** 2
        noise *= fade.reshape([-1 if a == axis else 1 for a in range(len(shape) + 1)])
    return torch.from_numpy(noise * largest / np.abs(noise).max())[None]


def matrices(ndim: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(ndim)
    return tuple(np.eye(ndim) + 0.1 * rng.normal(size=(ndim, ndim)) for _ in range(2))


@every_shape
def test_composing_affine_maps_multiplies_their_matrices(shape: tuple[int, ...]) -> None:
    (a, b), ndim = matrices(len(shape)), len(shape)
    s, t = np.linspace(0.3, -0.7, ndim), np.linspace(-0.4, 0.5, ndim)
    composed = compose(affine(shape, a, s), affine(shape, b, t))
    expected = affine(shape, a @ b, a @ t + s)
    part = middle(shape)
    torch.testing.assert_close(composed[part], expected[part], atol=1e-10, rtol=0)
    swapped = affine(shape, b @ a, b @ s + t)
    assert (expected - swapped)[part].abs().max() > 0.05, "the order must matter here"


@every_shape
def test_composing_is_associative(shape: tuple[int, ...]) -> None:
    u, v, w = (smooth(shape, seed) for seed in range(3))
    left, right = compose(compose(u, v), w), compose(u, compose(v, w))
    assert (left - right).abs().max() < 0.04
    assert (left - compose(w, compose(v, u))).abs().max() > 0.2


@every_shape
def test_zero_is_neutral(shape: tuple[int, ...]) -> None:
    u = smooth(shape, 0)
    zero = torch.zeros_like(u)
    torch.testing.assert_close(compose(u, zero), u, atol=1e-12, rtol=0)
    torch.testing.assert_close(compose(zero, u), u, atol=0, rtol=0)
    torch.testing.assert_close(exponential(zero, 6), zero, atol=0, rtol=0)


@every_shape
def test_the_exponential_of_a_linear_velocity_is_the_matrix_exponential(
    shape: tuple[int, ...],
) -> None:
    ndim = len(shape)
    turn = np.zeros((ndim, ndim))
    turn[0, 1], turn[1, 0] = -0.6, 0.45
    generator = turn - np.diag(np.linspace(0.25, 0.4, ndim))
    velocity = affine(shape, np.eye(ndim) + generator, np.zeros(ndim))
    expected = affine(shape, expm(generator), np.zeros(ndim))
    part, errors = middle(shape), []
    for squarings in (6, 7, 14):
        found = exponential(velocity, squarings)
        errors.append(float((found - expected)[part].abs().max()))
    assert errors[2] < 2e-4
    assert errors[0] / errors[1] == pytest.approx(2, abs=0.1), "Euler's first step is first order"


@every_shape
def test_flowing_back_undoes_flowing(shape: tuple[int, ...]) -> None:
    v = smooth(shape, 3, largest=3.0)
    there, back = exponential(v, 7), exponential(-v, 7)
    assert there.abs().max() > 2
    assert compose(there, back).abs().max() < 0.1
    assert compose(back, there).abs().max() < 0.1


@every_shape
@pytest.mark.parametrize(("s", "t"), [(0.25, 0.5), (1.0, -0.4)])
def test_flows_of_one_velocity_add_their_times(shape: tuple[int, ...], s: float, t: float) -> None:
    v = smooth(shape, 5, largest=3.0)
    both = compose(exponential(s * v, 7), exponential(t * v, 7))
    assert (both - exponential((s + t) * v, 7)).abs().max() < 0.1


def test_squarings_halve_until_the_step_is_small() -> None:
    v = torch.zeros(1, 2, 5, 4)
    assert squarings_for(v) == 0
    for longest, expected in ((0.25, 0), (0.26, 1), (1.0, 2), (7.9, 5), (8.1, 6)):
        v[0, 1, 2, 3] = -longest
        assert squarings_for(v) == expected
        assert longest / 2 ** squarings_for(v) <= 0.25


@every_shape
@pytest.mark.parametrize("factor", [2, 3])
def test_enlarging_keeps_the_map(shape: tuple[int, ...], factor: int) -> None:
    matrix, _ = matrices(len(shape))
    shift = np.linspace(0.4, -0.3, len(shape))
    coarse = affine(shape, matrix, shift)
    fine_shape = tuple(n * factor for n in shape)
    expected = affine(fine_shape, matrix, shift * factor)
    part = middle(fine_shape, 0.8)
    torch.testing.assert_close(enlarge(coarse, factor)[part], expected[part], atol=1e-9, rtol=0)


@every_shape
def test_enlarging_and_composing_may_be_swapped(shape: tuple[int, ...]) -> None:
    u, v = smooth(shape, 1), smooth(shape, 2)
    fine = compose(enlarge(u, 2), enlarge(v, 2))
    assert (fine - enlarge(compose(u, v), 2)).abs().max() < 0.08


def test_magnitude_in_voxels_and_in_mm() -> None:
    u = torch.zeros(1, 2, 3, 2)
    u[0, :, 1, 0] = torch.tensor([3.0, -4.0])
    assert magnitude(u)[0, 1, 0] == 5
    assert magnitude(u, (2.0, 0.5))[0, 1, 0] == pytest.approx(40**0.5)
    assert magnitude(u).shape == (1, 3, 2)


def test_fields_of_two_grids_are_refused() -> None:
    with pytest.raises(ArgumentError, match=r"compose\(\) 'u' and 'v'"):
        compose(torch.zeros(1, 2, 4, 5), torch.zeros(1, 2, 5, 4))
    with pytest.raises(ArgumentError, match=r"compose\(\) 'u' and 'v'"):
        compose(torch.zeros(1, 3, 4, 5), torch.zeros(1, 3, 4, 5))
