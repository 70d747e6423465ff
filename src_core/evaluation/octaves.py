"""Energy of a field per octave of its noise.

A component of the noise has n points on each side of twice the image, so n / 2 over the image.
With ``P_n`` the mean over each of (n / 2)^D blocks, the octaves are ``P_8 u, P_16 u - P_8 u, ...``
and ``u - P_64 u``. Block means are nested projections: the energies add up to that of u.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from src_core.errors import ArgumentError

__all__ = ["octave_energies"]


def octave_energies(u: ArrayLike, components: Sequence[int]) -> dict[str, float]:
    """Mean squared length per octave, in (% of the side)^2.

    Args:
        u: (D, *spatial), voxels, all sides equal.
        components: points on each side of the noise's components, over twice the image.

    Returns:
        ``energy`` of the whole field, ``energy_N`` of each octave N, coarsest first, and
        ``energy_finer``; the octaves' sum is the whole.

    Raises:
        ArgumentError: blocks do not divide the field.
    """
    field = np.asarray(u, dtype=np.float64)
    side = field.shape[-1]
    if field.ndim < 2 or field.shape != (field.ndim - 1, *[side] * (field.ndim - 1)):
        raise ArgumentError(
            f"octave_energies() 'u' must be (D, *spatial) with equal sides, got {field.shape}"
        )
    percent, energies, coarse = 100 / side * field, {}, 0.0
    for size in sorted(set(components)):
        energy = _energy(_block_means(percent, size // 2))
        energies[f"energy_{size}"] = energy - coarse
        coarse = energy
    whole = _energy(percent)
    return {"energy": whole, **energies, "energy_finer": whole - coarse}


def _energy(field: NDArray[np.float64]) -> float:
    return float(np.square(field).sum(axis=0).mean())


def _block_means(field: NDArray[np.float64], blocks: int) -> NDArray[np.float64]:
    """(D, *spatial) -> (D, blocks, ..., blocks)."""
    side = field.shape[-1]
    if blocks < 1 or side % blocks:
        raise ArgumentError(
            f"octave_energies() 'components' of {2 * blocks} do not divide a side of {side}"
        )
    for axis in range(1, field.ndim):
        shape = (*field.shape[:axis], blocks, -1, *field.shape[axis + 1 :])
        field = field.reshape(shape).mean(axis=axis + 1)
    return field
