"""The resampler: against SciPy, a hand-written Keys kernel, brute force and ITK's rule."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import SimpleITK as sitk
import torch
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

from src_core.errors import ArgumentError
from src_core.fields.sampling import identity, inside, sample, warp, warp_labels

SHAPES = [(7, 12), (5, 9, 6)]
every_shape = pytest.mark.parametrize("shape", SHAPES, ids=["2D", "3D"])


def scene(
    shape: tuple[int, ...], count: int = 400, beyond: float = 2.0
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Two channels of noise, and positions in and around them: (2, *shape) and (D, count)."""
    rng = np.random.default_rng(len(shape))
    low, high = -beyond, np.array(shape)[:, None] - 1 + beyond
    return rng.normal(size=(2, *shape)), rng.uniform(low, high, (len(shape), count))


def tensors(
    image: NDArray[np.float64], at: NDArray[np.float64]
) -> tuple[torch.Tensor, torch.Tensor]:
    ndim = len(at)
    return torch.from_numpy(image)[None], torch.from_numpy(at).reshape(
        1, ndim, -1, *[1] * (ndim - 1)
    )


@every_shape
@pytest.mark.parametrize(
    ("padding", "scipy_mode"), [("border", "nearest"), ("zeros", "grid-constant")]
)
def test_linear_sampling_is_scipys(shape: tuple[int, ...], padding: str, scipy_mode: str) -> None:
    image, at = scene(shape)
    ours = sample(*tensors(image, at), padding=padding).flatten(2)[0].numpy()
    theirs = [map_coordinates(channel, at, order=1, mode=scipy_mode) for channel in image]
    np.testing.assert_allclose(ours, theirs, atol=1e-10)


@every_shape
def test_nearest_sampling_is_scipys_away_from_halves(shape: tuple[int, ...]) -> None:
    image, at = scene(shape)
    at = at[:, (np.abs(at % 1 - 0.5) > 1e-6).all(axis=0)]
    ours = sample(*tensors(image, at), mode="nearest").flatten(2)[0].numpy()
    theirs = [map_coordinates(channel, at, order=0, mode="nearest") for channel in image]
    np.testing.assert_array_equal(ours, theirs)


def keys(t: float, a: float = -0.75) -> float:
    """Keys 1981, eq. 4, with a free ``a``."""
    t = abs(t)
    if t <= 1:
        return (a + 2) * t**3 - (a + 3) * t**2 + 1
    return a * (t**3 - 5 * t**2 + 8 * t - 4) if t < 2 else 0.0


@pytest.mark.parametrize("padding", ["border", "zeros"])
def test_cubic_sampling_is_keys_kernel(padding: str) -> None:
    image, at = scene(SHAPES[0], count=60)
    shape, expected = image.shape[1:], np.zeros((2, at.shape[1]))
    for n, (x, y) in enumerate(at.T):
        for i, j in product(range(4), repeat=2):
            tap = int(np.floor(x)) - 1 + i, int(np.floor(y)) - 1 + j
            held = tuple(np.clip(t, 0, side - 1) for t, side in zip(tap, shape, strict=True))
            if padding == "border" or held == tap:
                weight = keys(x - tap[0]) * keys(y - tap[1])
                expected[:, n] += weight * image[:, held[0], held[1]]
    ours = sample(*tensors(image, at), mode="cubic", padding=padding).flatten(2)[0].numpy()
    np.testing.assert_allclose(ours, expected, atol=1e-10)


@every_shape
def test_warping_by_a_whole_voxel_shift_moves_the_array(shape: tuple[int, ...]) -> None:
    image, _ = scene(shape)
    whole = torch.from_numpy(image)[None]
    for axis in range(len(shape)):
        u = torch.zeros(1, len(shape), *shape, dtype=torch.float64)
        u[:, axis] = 1
        moved = warp(whole, u, padding="zeros")
        expected = np.roll(image, -1, axis=axis + 1)
        expected[(slice(None), *[slice(None)] * axis, -1)] = 0
        np.testing.assert_allclose(moved[0].numpy(), expected, atol=1e-12)


def test_identity_holds_the_indices() -> None:
    grid = identity((3, 5, 2), torch.zeros(1, dtype=torch.float64))
    assert grid.dtype == torch.float64
    np.testing.assert_array_equal(grid[0].numpy(), np.indices((3, 5, 2)))


def test_one_image_serves_a_batch_of_positions() -> None:
    image, at = scene(SHAPES[0])
    one, positions = tensors(image, at)
    both = sample(one, torch.cat([positions, positions + 0.3]))
    torch.testing.assert_close(both[1:], sample(one, positions + 0.3))


def test_an_axis_of_one_voxel_is_sampled() -> None:
    image = torch.arange(4.0, dtype=torch.float64).reshape(1, 1, 4, 1)
    at = torch.tensor([[0.5, 2.25], [0.0, 0.0]], dtype=torch.float64).reshape(1, 2, 2, 1)
    assert sample(image, at).flatten().tolist() == pytest.approx([0.5, 2.25])


def test_wrong_calls_are_refused() -> None:
    with pytest.raises(ArgumentError, match="'coordinates' must be"):
        sample(torch.zeros(1, 1, 4, 4), torch.zeros(1, 3, 2, 2, 2))
    with pytest.raises(ArgumentError, match="cubic exists in 2D only"):
        sample(torch.zeros(1, 1, 4, 4, 4), torch.zeros(1, 3, 2, 2, 2), mode="cubic")


@every_shape
def test_inside_is_the_rule_of_itk(shape: tuple[int, ...]) -> None:
    picture = sitk.GetImageFromArray(np.ones(shape[::-1], np.float32))
    places = [-0.75, -0.5 - 1e-6, -0.5, -0.5 + 1e-6, 0.0]
    found, expected = [], []
    for axis, side in enumerate(shape):
        for place in [*places, *(side - 1 - p for p in places)]:
            at = [1.0] * len(shape)
            at[axis] = place
            shift = sitk.TranslationTransform(len(shape), [p - 1.0 for p in at])
            probe = sitk.Resample(picture, [3] * len(shape), shift, sitk.sitkLinear)
            expected.append(bool(probe.GetPixel([1] * len(shape))))
            position = torch.tensor(at, dtype=torch.float64)[(None, ..., *[None] * len(shape))]
            found.append(bool(inside(position, shape)))
    assert found == expected


def brute_labels(labels: NDArray[np.int64], at: NDArray[np.float64]) -> NDArray[np.int64]:
    """Every label's share by explicit weights of the 2^D neighbours; the first largest wins."""
    result = np.zeros(at.shape[1], np.int64)
    for n, place in enumerate(at.T):
        if any(p < -0.5 or p >= s - 0.5 for p, s in zip(place, labels.shape, strict=True)):
            continue
        held = [min(max(p, 0.0), s - 1.0) for p, s in zip(place, labels.shape, strict=True)]
        share = {int(v): 0.0 for v in np.unique(labels)}
        for corner in product((0, 1), repeat=len(held)):
            lows = [int(np.floor(h)) for h in held]
            weight = np.prod(
                [h - lo if c else 1 - (h - lo) for h, lo, c in zip(held, lows, corner, strict=True)]
            )
            if weight:
                index = tuple(lo + c for lo, c in zip(lows, corner, strict=True))
                share[int(labels[index])] += float(weight)
        best = max(share.values())
        result[n] = min(v for v, s in share.items() if s == best)
    return result


@every_shape
def test_labels_are_the_largest_share(shape: tuple[int, ...]) -> None:
    _, at = scene(shape)
    labels = np.random.default_rng(4).choice([0, 1, 7, 300], shape)
    image, positions = tensors(labels.astype(np.float64)[None], at)
    ours = warp_labels(image.long(), positions)
    assert ours.dtype == torch.int64
    np.testing.assert_array_equal(ours.flatten().numpy(), brute_labels(labels, at))


def test_ties_go_to_the_smaller_label_and_outside_is_none() -> None:
    labels = torch.tensor([[5, 2], [5, 2], [9, 9]])[None, None]
    places = [(0.0, 0.5), (1.5, 0.0), (0.0, 0.25), (2.6, 0.0), (0.0, -0.6), (2.4, 1.4)]
    at = torch.tensor(places, dtype=torch.float64).T.reshape(1, 2, -1, 1)
    assert warp_labels(labels, at).flatten().tolist() == [2, 5, 5, 0, 0, 9]


def test_nearest_labels_are_stored_labels() -> None:
    labels = torch.tensor([[1, 4], [4, 9]])[None, None]
    at = torch.tensor([[0.4, 0.9], [0.6, 0.2]], dtype=torch.float64).T.reshape(1, 2, -1, 1)
    assert warp_labels(labels, at, "nearest").flatten().tolist() == [4, 4]
