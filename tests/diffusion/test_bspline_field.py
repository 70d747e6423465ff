"""Random fields of B-splines: as large as the model's, and as ITK computes them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from src_core.diffusion import bspline_field
from src_core.fields import magnitude


@pytest.mark.parametrize("ndim", [2, 3])
def test_bsplines_of_several_resolutions_move_as_much_as_the_models_field(ndim):
    like = torch.randn(1, ndim, *[16] * ndim, generator=torch.Generator().manual_seed(1))
    made = bspline_field.multiresolution_ddf(like, 1, 2, 3)
    assert float(magnitude(made).mean()) == pytest.approx(float(magnitude(like).mean()), rel=0.01)
    assert torch.equal(made, bspline_field.multiresolution_ddf(like, 1, 2, 3))
    assert not torch.equal(made, bspline_field.multiresolution_ddf(like, 1, 2, 4))
    part = bspline_field.multiresolution_ddf(like, 1, 2, 3, part=0.5)
    centre = (0, *[slice(4, 12)] * ndim)
    ours, theirs = (float(magnitude(u)[centre].mean()) for u in (part, like))
    assert ours == pytest.approx(theirs, rel=0.01)
    longer = bspline_field.multiresolution_ddf(2 * like, 1, 2, 3)
    assert float(torch.corrcoef(torch.stack([made.flatten(), longer.flatten()]))[0, 1]) > 0.98


def test_one_resolution_is_itks_bspline(monkeypatch):
    sitk = pytest.importorskip("SimpleITK")
    monkeypatch.setattr(bspline_field, "SPANS", (4,))
    made = bspline_field.multiresolution_ddf(torch.full((1, 2, 20, 20), 1.5), 5)[0]
    drawn = torch.rand(2, 7, 7, generator=bspline_field.generator(5), dtype=torch.float64)
    transform = sitk.BSplineTransform(2, 3)
    transform.SetTransformDomainOrigin((-0.5, -0.5))
    transform.SetTransformDomainPhysicalDimensions((20.0, 20.0))
    transform.SetTransformDomainMeshSize((4, 4))
    transform.SetParameters(np.concatenate([(2 * d - 1).numpy().T.ravel() for d in drawn]))
    pixels = [(i, j) for i in range(20) for j in range(20)]
    found = np.array([transform.TransformPoint(tuple(map(float, p))) for p in pixels]) - pixels
    itk = found.T.reshape(2, 20, 20)
    scale = float(made[0].abs().max() / np.abs(itk[0]).max())
    np.testing.assert_allclose(made, scale * itk, atol=1e-5)
