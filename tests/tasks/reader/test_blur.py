"""Real images are resampled so that noise loses as much as under a large deformation."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from src_core.diffusion.bspline_field import elastic_ddf
from src_core.fields.jacobian import jacobian_determinant
from src_core.fields.sampling import warp
from src_core.tasks.reader.blur import noise_kept, sub_voxel_displacement

SHAPES = [(97, 60), (21, 24, 26)]


def source(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("shape", SHAPES)
def test_it_moves_less_than_a_voxel_and_all_fractions_are_equally_frequent(shape):
    u = sub_voxel_displacement(shape, source(1))
    assert u.shape == (1, len(shape), *shape) and float(u.abs().max()) <= 0.5
    for one in u[0].numpy():
        counts, _ = np.histogram(one, 10, (-0.5, 0.5))
        assert counts == pytest.approx(one.size / 10, rel=0.02)
    assert float(jacobian_determinant(u).min()) > 0.4


@pytest.mark.parametrize("shape", SHAPES)
def test_noise_keeps_as_much_as_under_an_elastic_deformation_of_many_voxels(shape):
    """Measured on noise that was really resampled, not by the formula."""
    side, ndim = max(shape), len(shape)
    inner = tuple(slice(0, n) for n in shape)
    elastic = elastic_ddf(side, ndim, 6.0, source(2))[(..., *inner)].double()
    noise = torch.randn(1, 12, *shape, generator=source(3), dtype=torch.float64)
    middle = (slice(None), slice(None), *[slice(6, n - 6) for n in shape])
    for u in (elastic, sub_voxel_displacement(shape, source(4))):
        kept = float(warp(noise, u)[middle].var())
        assert kept == pytest.approx((2 / 3) ** ndim, rel=0.1)
        voxels = u[middle].movedim(1, -1).numpy()
        assert noise_kept(voxels) == pytest.approx(kept, rel=0.03)


def test_what_does_not_move_keeps_all():
    assert noise_kept(np.zeros((3, 4, 2))) == 1 and noise_kept(np.full((2, 2), 3.0)) == 1
    assert noise_kept(np.full((5, 1), -0.5)) == 0.5
