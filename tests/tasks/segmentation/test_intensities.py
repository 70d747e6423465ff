"""Intensities: each by closed form, left alone where it is not drawn, and as often as it should."""

from __future__ import annotations

import pytest
import torch
from scipy import ndimage
from torch.nn import functional

from src_core.tasks.segmentation.intensities import (
    DRAWS,
    BigAugIntensities,
    NnUNetIntensities,
)
from src_core.tasks.segmentation.tables import (
    STRENGTHS,
    blur_table,
    filtered,
    lower_resolution_table,
    row_of,
)
from tests.support.segmentations import CPU

SIDE = 24
NNUNET = NnUNetIntensities(SIDE, CPU)


def images(count: int = 1) -> torch.Tensor:
    x = torch.randn(count, 1, SIDE, SIDE, generator=torch.Generator().manual_seed(2))
    return functional.avg_pool2d(x, 3, 1, 1) * 3


def draws(**given: float) -> torch.Tensor:
    found = torch.full((1, DRAWS), 0.99)
    for name, value in given.items():
        found[0, int(name[1:])] = value
    return found


@pytest.mark.parametrize("made", [NNUNET, BigAugIntensities(SIDE, CPU)])
def test_what_is_not_drawn_leaves_the_image_alone(made):
    x = images()
    assert torch.allclose(made(x, draws(), torch.ones_like(x)), x, atol=1e-5)


def test_noise_brightness_contrast_and_gamma_by_closed_form():
    x, noise = images(), torch.ones(1, 1, SIDE, SIDE)
    assert torch.allclose(NNUNET(x, draws(_0=0.05, _1=0.4), noise), x + 0.04, atol=1e-5)
    assert torch.allclose(NNUNET(x, draws(_4=0.1, _5=0.25), noise), 0.875 * x, atol=1e-5)
    weaker = NNUNET(x, draws(_6=0.1, _7=0.25), noise)
    assert torch.allclose(weaker, (x - x.mean()) * 0.875 + x.mean(), atol=1e-5)
    powered = NNUNET(x, draws(_12=0.1, _13=0.75), noise)  # gamma 1.25
    unit = (x - x.min()) / (x.max() - x.min())
    expected = unit**1.25
    expected = (expected - expected.mean()) / expected.std() * x.std() + x.mean()
    assert torch.allclose(powered, expected, atol=1e-4) and not torch.allclose(powered, x)
    inverted = NNUNET(-x, draws(_10=0.05, _11=0.75), noise)
    assert torch.allclose(-inverted, powered, atol=1e-4)


def test_blur_and_low_resolution_are_those_of_scipy_and_torch():
    x = images()
    sigma = 0.5 + (7 + 0.5) / STRENGTHS * 0.5
    found = filtered(x, blur_table(SIDE, 0.5, 1.0), torch.tensor([8]))
    expected = ndimage.gaussian_filter(x[0, 0].numpy(), sigma, mode="nearest")
    assert torch.allclose(found[0, 0], torch.from_numpy(expected), atol=1e-5)
    row = 17  # a share of .758: 18 of 24 pixels
    small = functional.interpolate(x, size=(18, 18), mode="nearest-exact")
    expected = functional.interpolate(small, size=(SIDE, SIDE), mode="bicubic")
    found = filtered(x, lower_resolution_table(SIDE, 0.5, 1.0), torch.tensor([row]))
    assert torch.allclose(found, expected, atol=1e-4)
    rows = row_of(torch.tensor([True, True, False]), torch.tensor([0.0, 1.0, 0.5]))
    assert rows.tolist() == [1, STRENGTHS, 0]


def test_a_sample_changes_as_often_as_nnunet_changes_it():
    count = 4000
    uniform = torch.rand(count, DRAWS, generator=torch.Generator().manual_seed(5))
    x = images().expand(count, -1, -1, -1)
    same = torch.isclose(NNUNET(x, uniform, x), x, atol=1e-5).flatten(1).all(1)
    expected = 0.9 * 0.9 * 0.85 * 0.85 * 0.875 * 0.9 * 0.7
    assert float(same.float().mean()) == pytest.approx(expected, abs=0.03)


def test_bigaug_draws_each_of_six_with_a_chance_of_one_half():
    count = 3200
    uniform = torch.rand(count, DRAWS, generator=torch.Generator().manual_seed(5))
    x = images().expand(count, -1, -1, -1)
    same = torch.isclose(BigAugIntensities(SIDE, CPU)(x, uniform, x), x, atol=1e-4)
    assert 30 <= int(same.flatten(1).all(1).sum()) <= 75  # 3200 / 2**6 = 50
