"""Baselines of equal mean displacement: no network, and elastic deformation.

No network: ``u = exp(s tau v)`` with s in 0..1, a lower level, so that no displacement
is scaled after its integration. Elastic: ``diffusion.bspline_field``, of any magnitude.
"""

from __future__ import annotations

from scipy.optimize import brentq

from src_core.diffusion.flow import Flow
from src_core.fields import magnitude

__all__ = ["equal_mean_flow"]


def equal_mean_flow(flow: Flow, mean: float) -> Flow:
    """The flow at the lower level whose mean displacement is the one asked for.

    Args:
        flow: a random flow, at the level where recovery started.
        mean: mean length of the displacement, state voxels.

    Returns:
        The flow itself where it moves less than ``mean``.
    """

    def excess(factor: float) -> float:
        return float(magnitude(flow.scaled(factor).displacement()).mean()) - mean

    if mean <= 0:
        return flow.scaled(0)
    if excess(1.0) <= 0:
        return flow
    return flow.scaled(float(brentq(excess, 0.0, 1.0, xtol=1e-4)))
