"""A case's grid and a model's: corners, known displacements in mm, and images that stay images."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from src_core.fields.sampling import identity
from src_core.models.fit import Fit

FITS = {
    "plane": Fit((90, 61), (1.3, 2.1), 128),
    "tall plane": Fit((40, 150), (1.7, 0.8), 128),
    "volume": Fit((40, 30, 12), (1.2, 1.9, 6.0), 32),
}
every_fit = pytest.mark.parametrize("fit", FITS.values(), ids=FITS)


def extents(fit: Fit) -> np.ndarray:
    return np.array(fit.shape) * fit.spacing


def positions_mm(fit: Fit) -> Tensor:
    """Of the image's voxels about its centre: (1, D, *shape), mm along its axes."""
    x = identity(fit.shape, torch.zeros(1, dtype=torch.float64)).flatten(2)
    centre = (torch.tensor(fit.shape, dtype=torch.float64)[:, None] - 1) / 2
    spacing = torch.tensor(fit.spacing, dtype=torch.float64)[:, None]
    return ((x - centre) * spacing).reshape(1, len(fit.shape), *fit.shape)


@every_fit
def test_the_model_s_grid_covers_the_whole_image(fit: Fit) -> None:
    longest = int(extents(fit).argmax())
    assert fit.mm_per_pixel == pytest.approx(extents(fit)[longest] / fit.size)
    ndim = len(fit.shape)
    corners = torch.tensor([[-0.5] * ndim, [n - 0.5 for n in fit.shape]], dtype=torch.float64).T
    for state in (fit.size, fit.size // 4):
        low, high = fit.to_state(corners[None], state)[0].T
        assert float(low[longest]) == pytest.approx(-0.5)
        assert float(high[longest]) == pytest.approx(state - 0.5)
        assert (low >= -0.5 - 1e-9).all() and (high <= state - 0.5 + 1e-9).all()
        torch.testing.assert_close(low + high, torch.full_like(low, state - 1.0))
        side = (high - low).numpy() * fit.mm_per_pixel * fit.size / state
        np.testing.assert_allclose(side, extents(fit))


@every_fit
@pytest.mark.parametrize("coarser", [1, 4])
def test_an_affine_displacement_in_mm_comes_back_exactly(fit: Fit, coarser: int) -> None:
    ndim, state = len(fit.shape), fit.size // coarser
    rng = np.random.default_rng(ndim)
    matrix = torch.from_numpy(0.2 * rng.normal(size=(ndim, ndim)))
    shift = torch.from_numpy(rng.normal(size=(ndim, 1)))
    mm = fit.mm_per_pixel * coarser
    at = (identity([state] * ndim, matrix).flatten(2) - (state - 1) / 2) * mm
    u = ((matrix @ at + shift) / mm).reshape(1, ndim, *[state] * ndim)
    spacing = torch.tensor(fit.spacing, dtype=torch.float64).view(1, -1, *[1] * ndim)
    found = fit.displacement(u) * spacing
    assert found.shape == (1, ndim, *fit.shape)
    where = positions_mm(fit)
    expected = (matrix @ where.flatten(2) + shift).reshape(found.shape)
    # Border voxels lie beyond the outermost centres of a coarser grid.
    within = (where.abs() <= (state - 1) / 2 * mm).all(dim=1, keepdim=True).expand_as(found)
    assert within.double().mean() > 0.8
    torch.testing.assert_close(found[within], expected[within], atol=1e-9, rtol=0)


def test_a_batch_of_displacements_comes_back_item_by_item() -> None:
    fit = FITS["plane"]
    u = torch.randn(3, 2, 32, 32, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(fit.displacement(u)[1:2], fit.displacement(u[1:2]))


@every_fit
def test_a_constant_stays_constant_inside_and_zero_is_around(fit: Fit) -> None:
    image = fit.image(np.full(fit.shape, 3.5, np.float32))
    assert image.shape == (1, 1, *[fit.size] * len(fit.shape))
    half = torch.tensor(extents(fit) / 2)[:, None]
    at = (identity([fit.size] * len(fit.shape), half).flatten(2)[0] - (fit.size - 1) / 2).abs()
    at, voxel = at * fit.mm_per_pixel, torch.tensor(fit.spacing)[:, None]
    inner, outer = (at <= half - voxel / 2).all(0), (at > half + voxel / 2).any(0)
    values = image.flatten()
    torch.testing.assert_close(values[inner], torch.full_like(values[inner], 3.5))
    assert not values[outer].any()
    assert inner.double().mean() > 0.2


@every_fit
def test_an_image_lies_where_it_was(fit: Fit) -> None:
    """A ramp in mm is the same ramp in mm on the model's grid."""
    slope = torch.linspace(0.5, -1.0, len(fit.shape), dtype=torch.float64)[:, None]
    ramp = (slope * positions_mm(fit).flatten(2)[0]).sum(0).reshape(fit.shape)
    image = fit.image(ramp.float().numpy()).flatten().double()
    at = identity([fit.size] * len(fit.shape), slope).flatten(2)[0] - (fit.size - 1) / 2
    at = at * fit.mm_per_pixel
    # The low-pass continues border voxels, so the ramp bends near them.
    reach = 6 * max(fit.mm_per_pixel, max(fit.spacing) / 2)
    inner = (at.abs() <= torch.tensor(extents(fit) / 2)[:, None] - reach).all(0)
    assert inner.sum() > 100
    torch.testing.assert_close(image[inner], (slope * at).sum(0)[inner], atol=2e-3, rtol=0)


def test_detail_finer_than_a_model_s_pixel_is_smoothed_not_aliased() -> None:
    stripes = np.indices((500, 300))[0] % 3 / 2
    image = Fit((500, 300), (0.5, 0.5), 128).image(stripes.astype(np.float32))
    middle = image[0, 0, 40:-40, 40:-40]
    assert float(middle.std()) < 0.02
    assert float(middle.mean()) == pytest.approx(0.5, abs=0.01)
