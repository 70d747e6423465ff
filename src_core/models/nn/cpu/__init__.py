"""The recovery network on CPUs: fused loops over float32 images with the channels last."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from src_core.fields.kernels.compiled import available, ready

if TYPE_CHECKING:
    from src_core.models.nn.cpu.network import CpuNetwork

__all__ = ["cpu_network"]


def cpu_network(network: Any, side: int) -> CpuNetwork | None:
    """A ``VelocityUNet`` for images of ``side`` pixels, where the loops support its shape.

    None where numba is unavailable, a width is no multiple of 16, or the coarsest grid's side none
    of 4.
    """
    config = network.config
    coarsest = config.stem << (len(config.widths) - 1)
    if any(width % 16 for width in config.widths) or side % (4 * coarsest):
        return None
    if not available():
        return None
    from src_core.models.device import fixed_threads
    from src_core.models.nn.cpu.network import LOOPS, CpuNetwork

    if not ready(*LOOPS):
        return None
    with fixed_threads():
        return CpuNetwork(network, side)
