"""The level at which a random field has a given mean displacement."""

from __future__ import annotations

import pytest
import torch

from src_core.diffusion.flow import Flow
from src_core.evaluation.baseline import equal_mean_flow
from src_core.fields import magnitude
from tests.support.flows import squared


def test_the_level_of_a_mean_is_found_in_velocity():
    # along a constant velocity c the flow moves by s c, whatever the grid
    velocity = torch.tensor([3.0, 4.0]).view(1, 2, 1, 1).expand(1, 2, 32, 32)
    found = equal_mean_flow(Flow(velocity, (), 16, squared(6)), mean=1.25)
    assert float(found.random[0, 0, 0, 0]) == pytest.approx(0.75, abs=1e-3)


def test_the_level_of_a_mean_is_no_scaled_displacement():
    rough = torch.randn(1, 2, 8, 8, generator=torch.Generator().manual_seed(1))
    velocity = torch.nn.functional.interpolate(rough, (32, 32), mode="bicubic") * 3
    flow = Flow(velocity, (), 16, squared(6))
    mean = float(magnitude(flow.displacement()).mean())
    found = equal_mean_flow(flow, mean / 2).displacement()
    assert float(magnitude(found).mean()) == pytest.approx(mean / 2, rel=1e-3)
    assert float((found - flow.displacement() / 2).abs().max()) > 0.05


def test_a_mean_out_of_reach_keeps_the_flow():
    flow = Flow(torch.ones(1, 2, 32, 32), (), 16, squared(6))
    assert equal_mean_flow(flow, mean=5.0) is flow
