"""Random fields as the published weights were trained on: its order, disturbance and scaling.

``u <- d + u(x + d)``, one by one on the control grid, d the disturbed DVF; then enlarged. The field
covers twice the image, so a fraction of its side is two of the image's; the release takes
image / control = 4 at 256^2 instead. That doubles a displacement after it was integrated, which
folds it, so this is for parity and for the published weights only.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from src_core.diffusion.grids import crop
from src_core.diffusion.multiscale_field import MultiscaleField
from src_core.diffusion.schedule import Schedule
from src_core.errors import ArgumentError
from src_core.fields import compose, enlarge
from src_core.fields.sampling import warp

__all__ = ["RELEASE", "ReleaseField", "release_ddf", "release_dvf"]

RELEASE = Schedule(name="release", sigma=4.0e-5)

#: By how much the release enlarges a displacement too far, at 256^2 with 64 control points.
_FAULT = 2.0


@dataclass(frozen=True)
class ReleaseField(MultiscaleField):
    """The release's fields at any size: composed one by one, then doubled as it does at 256^2."""

    def disturbed(self, velocity: Tensor, noise: Tensor) -> Tensor:
        """``v + noise(x + v)``: (B, D, *control)."""
        return velocity + warp(noise, velocity)

    def enlarged(self, velocity: Tensor) -> Tensor:
        """The velocity itself: the release composes on the control grid."""
        return velocity

    def ddf(self, velocity: Tensor, times: Tensor) -> Tensor:
        """``n`` compositions of the DVF, ``n = floor(tau)``, at most 200: (B, D, *state)."""
        composed = [
            _composed(v[None] / max(float(time), 1e-9), _compositions(float(time)))
            for v, time in zip(velocity, times, strict=True)
        ]
        whole, refine = torch.cat(composed), self.schedule.refine
        return crop(enlarge(whole, refine) if refine > 1 else whole) * _FAULT


def release_ddf(
    components: tuple[Tensor, ...], disturbance: tuple[Tensor, ...], n_ddf: int, size: int = 256
) -> Tensor:
    """The random DDF of a level.

    Args:
        components: draws of the DVF, (B, D, n, ..., n) each, unit variance, finest first.
        disturbance: draws of its noise, likewise.
        n_ddf: compositions, ``RELEASE.n_ddf(level)``.
        size: voxels per side of the image.

    Returns:
        (B, D, size, ...), voxels of the image.

    Raises:
        ArgumentError: ``size`` is no multiple of half the control grid's side.
    """
    field = ReleaseField(RELEASE)
    noise = field.velocity(disturbance) * RELEASE.disturbance
    return _over_image(_composed(field.disturbed(field.velocity(components), noise), n_ddf), size)


def release_dvf(components: tuple[Tensor, ...], n_dvf: int, size: int = 256) -> Tensor:
    """The training target of a level, undisturbed: (B, D, size, ...), voxels of the image."""
    return _over_image(_composed(ReleaseField(RELEASE).velocity(components), n_dvf), size)


def _compositions(time: float) -> int:
    return min(max(int(time), 1), 200) if time > 0 else 0


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
