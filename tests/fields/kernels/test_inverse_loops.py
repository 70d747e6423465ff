"""The compiled inverse beside the exhaustive search by PyTorch."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from src_core.fields import certify, exponential, inverse, invert
from src_core.fields.inverse import Inverse

SHAPES = [(1, 2, 61, 48), (1, 3, 21, 26, 18)]


def flow(shape: tuple[int, ...], strength: float, seed: int = 0) -> torch.Tensor:
    draws = np.random.default_rng(seed).standard_normal(shape[1:])
    velocity = np.stack([gaussian_filter(draw, 4.0, mode="nearest") for draw in draws])
    return exponential(torch.from_numpy(velocity / np.abs(velocity).max())[None] * strength, 8)


def by_search(u: torch.Tensor, monkeypatch: pytest.MonkeyPatch) -> Inverse:
    with monkeypatch.context() as patch:
        patch.setattr(inverse, "can_invert", lambda ndim: False)
        return invert(u, tolerance=1e-10)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("strength", [3.0, 9.0])
@pytest.mark.parametrize("seed", range(3))
def test_it_agrees_with_the_exhaustive_search(
    shape: tuple[int, ...], strength: float, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    u = flow(shape, strength, seed)
    assert certify(u, 1e-3)[0].certified
    expected = by_search(u, monkeypatch)
    found = invert(u, tolerance=1e-10)
    assert float(found.error_voxels.max()) <= 1e-10
    inside = expected.inside & found.inside
    assert float((expected.inside != found.inside).double().mean()) < 1e-3
    apart = (found.displacement - expected.displacement).abs().amax(1)
    assert float(apart[inside].max()) < 1e-6


@pytest.mark.parametrize("shape", SHAPES)
def test_a_certified_field_is_not_searched(
    shape: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    def searched(*_: object) -> None:
        raise AssertionError("searched")

    monkeypatch.setattr(inverse, "searched", searched)
    assert float(invert(flow(shape, 9.0)).error_voxels.max()) <= 1e-4
    with pytest.raises(AssertionError, match="searched"):
        invert(torch.randn(shape, generator=torch.Generator().manual_seed(1)) * 2)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_bits_do_not_depend_on_the_number_of_threads(
    shape: tuple[int, ...], dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("src_core.fields.kernels.inverse._LEAST", 8)
    u, before, found = flow(shape, 9.0).to(dtype), torch.get_num_threads(), []
    for count in (1, 2, 3):
        torch.set_num_threads(count)
        found.append(invert(u))
    torch.set_num_threads(before)
    for other in found[1:]:
        assert torch.equal(other.displacement, found[0].displacement)
        assert torch.equal(other.error_voxels, found[0].error_voxels)
        assert torch.equal(other.inside, found[0].inside)
