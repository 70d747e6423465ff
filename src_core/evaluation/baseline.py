"""The row "no network": the same random velocity at the lower level that moves as much.

``u = exp(s tau v)`` with s in 0..1 found by bisection, so that nothing is scaled once integrated.
"""

from __future__ import annotations

from src_core.fields import magnitude
from src_core.flow import Flow

__all__ = ["equal_mean_flow"]


def equal_mean_flow(flow: Flow, mean: float, halvings: int = 16) -> Flow:
    """The flow at the lower level whose mean displacement is the one asked for.

    Args:
        flow: a random flow, at the level where recovery started.
        mean: mean length of the displacement, state voxels.
        halvings: of the interval of integration times.

    Returns:
        The flow itself where it moves less than ``mean``.
    """
    if float(magnitude(flow.displacement()).mean()) <= mean:
        return flow
    low, high = 0.0, 1.0
    for _ in range(halvings):
        middle = (low + high) / 2
        moved = float(magnitude(flow.scaled(middle).displacement()).mean())
        low, high = (middle, high) if moved < mean else (low, middle)
    return flow.scaled((low + high) / 2)
