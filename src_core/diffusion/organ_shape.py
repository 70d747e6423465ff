"""What a deformation does to the shape of organs as a whole: stretch, and a shift within another.

People's organs differ in size, orientation and position, hardly in how far they are stretched.
Stretch is smooth and as large as the organ, so that a network sees little of it in a picture; where
the organs are known, it can be read from the deformation itself and taken back.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from src_core.diffusion.flow import correction_ddf
from src_core.diffusion.organs import centre_of, lies_in, radius_of, windows_of
from src_core.fields import compose
from src_core.fields.sampling import identity, warp

__all__ = ["shape_corrections"]

#: Organs of fewer voxels than this have no stretch.
_SMALLEST = 4.0
#: Smallest and largest stretch along an axis that is believed.
_BELIEVED = (0.2, 5.0)


def shape_corrections(
    u: Tensor, organs: Tensor, share: float, fade: Tensor | None = None
) -> Iterator[tuple[Tensor, Tensor]]:
    """Velocities that take back what a deformation stretched, one after the other.

    Outer organs come first; those that lie in them follow, as they then are.

    Args:
        u: (1, D, *n), voxels, a pull-back.
        organs: (1, K, *n), 0 to 1, where they are in the undeformed image.
        share: of the stretch, and of shifts within other organs, that is taken back, 0 to 1.
        fade: (1, 1, *n), factors on the velocities; None for 1.

    Yields:
        A velocity, and u followed by its flow: (1, D, *n), voxels; nothing without organs.
    """
    for depth in sorted(set(_depths(list(organs[0])))):
        velocity = _correction(u, organs, depth) * share
        velocity = velocity if fade is None else velocity * fade
        if bool(velocity.any()):
            u = compose(u, correction_ddf(velocity))
            yield velocity, u


def _depths(organs: list[Tensor]) -> list[int]:
    """In how many others each organ lies."""
    return [sum(lies_in(organ, other) for other in organs) for organ in organs]


def _correction(u: Tensor, organs: Tensor, depth: int) -> Tensor:
    """The correction of all organs that lie in ``depth`` others: (1, D, *n)."""
    undeformed, maps = list(organs[0]), list(warp(organs, u, padding="zeros")[0])
    radius = radius_of(torch.stack(maps).amax(0))
    velocity, points = torch.zeros_like(u[0]), identity(u.shape[2:], u)[0]
    windows = windows_of(maps, radius)
    for k, at in enumerate(_depths(undeformed)):
        if at == depth and min(float(undeformed[k].sum()), float(maps[k].sum())) >= _SMALLEST:
            velocity += windows[k] * _reverse(u[0], maps, k, points)
    return velocity[None]


def _reverse(u: Tensor, maps: list[Tensor], k: int, points: Tensor) -> Tensor:
    """The velocity that takes back the stretch of an organ, and its shift in its host."""
    centre, mean, matrix = _linear_fit(u, maps[k], points)
    offset = points - centre.to(points).view(-1, *[1] * points[0].dim())
    velocity = torch.einsum("ij,j...->i...", _stretch(matrix).to(points), offset)
    hosts = [m for m in maps if lies_in(maps[k], m) and float((m - maps[k]).sum()) >= _SMALLEST]
    if hosts:
        wall = (min(hosts, key=lambda m: float(m.sum())) - maps[k]).clamp_min(0)
        host_centre, host_mean, host_matrix = _linear_fit(u, wall, points)
        shift = mean - host_mean - host_matrix @ (centre - host_centre)
        shift = torch.linalg.solve(_gradient(host_matrix), shift)
        velocity += shift.to(points).view(-1, *[1] * points[0].dim())
    return -velocity


def _linear_fit(u: Tensor, organ: Tensor, points: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Centre of an organ, and the mean and the matrix of u about it, by weighted least squares."""
    weights = organ.double().clamp(0, 1).flatten() ** 2
    centre, mean = (centre_of(weights.view_as(organ), v.double()).flatten() for v in (points, u))
    offset = points.double().flatten(1) - centre[:, None]
    values = u.double().flatten(1) - mean[:, None]
    gram = (offset * weights) @ offset.T
    gram += 1e-9 * gram.diagonal().sum() * torch.eye(len(gram), dtype=gram.dtype)
    return centre, mean, torch.linalg.solve(gram, (offset * weights) @ values.T).T


def _gradient(matrix: Tensor) -> Tensor:
    return matrix + torch.eye(len(matrix), dtype=matrix.dtype)


def _stretch(matrix: Tensor) -> Tensor:
    """The logarithm of the right stretch of a displacement's gradient, without its mean."""
    _, values, axes = torch.linalg.svd(_gradient(matrix))
    logs = values.clamp(*_BELIEVED).log()
    return (axes.T * (logs - logs.mean())) @ axes
