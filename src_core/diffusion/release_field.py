"""Random fields as the published weights were trained on: its order, disturbance and scaling.

``u <- d + u(x + d)``, one by one on the control grid, d the disturbed DVF; then enlarged. The field
covers twice the image, so a fraction of its side is two of the image's; the release takes
image / control = 4 at 256^2 instead. That doubles a displacement after it was integrated, which
folds it, so this is for parity and for the published weights only.
"""

from __future__ import annotations

import torch
from torch import Tensor

from src_core.diffusion.random_field import multiscale_velocity
from src_core.diffusion.schedule import Schedule
from src_core.errors import ArgumentError
from src_core.fields import compose, enlarge
from src_core.fields.sampling import warp

__all__ = ["RELEASE", "release_ddf", "release_dvf"]

RELEASE = Schedule(name="release", sigma=4.0e-5)


def release_ddf(
    components: tuple[Tensor, ...], disturbance: tuple[Tensor, ...], n_ddf: int, size: int = 256
) -> Tensor:
    """The random DDF of a level.

    Args:
        components: draws of the DVF, (B, D, n, ..., n) each, unit variance, finest first.
        disturbance: draws of its noise, likewise.
        n_ddf: compositions, ``RELEASE.n_ddf(level)``.
        size: voxels a side of the image.

    Returns:
        (B, D, size, ...), voxels of the image.

    Raises:
        ArgumentError: ``size`` is no multiple of half the control grid's side.
    """
    v = multiscale_velocity(components, RELEASE)
    noise = multiscale_velocity(disturbance, RELEASE) * RELEASE.disturbance
    return _over_image(_composed(v + warp(noise, v), n_ddf), size)


def release_dvf(components: tuple[Tensor, ...], n_dvf: int, size: int = 256) -> Tensor:
    """The training target of a level, undisturbed: (B, D, size, ...), voxels of the image."""
    return _over_image(_composed(multiscale_velocity(components, RELEASE), n_dvf), size)


def _composed(d: Tensor, times: int) -> Tensor:
    u = torch.zeros_like(d)
    for _ in range(times):
        u = compose(u, d)
    return u


def _over_image(u: Tensor, size: int) -> Tensor:
    """The centre half of a control field on the image's grid, scaled as the release scales it."""
    control = u.shape[-1]
    factor, rest = divmod(2 * size, control)
    if rest or factor < 1:
        raise ArgumentError(
            f"release_ddf() 'size' must be a multiple of {control // 2}, got {size}"
        )
    for axis in range(2, u.dim()):
        u = u.narrow(axis, control // 4 - 1, control // 2 + 2)
    u = enlarge(u, factor) * (size / (2 * control))
    for axis in range(2, u.dim()):
        u = u.narrow(axis, factor, size)
    return u.contiguous()
