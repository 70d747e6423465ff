"""What a deformation does to the shape of organs as a whole: stretch, and a shift within another.

People's organs differ in size, orientation and position, hardly in how far they are stretched.
Stretch is smooth and as large as the organ, so that a network sees little of it in a picture; where
the organs are known, it can be read from the deformation itself and taken back.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from src_core.diffusion.flow import correction_ddf
from src_core.diffusion.organ_maps import OrganMaps, affine_basis, centred_points
from src_core.fields import compose
from src_core.fields.sampling import warp

__all__ = ["shape_corrections"]

_Values = NDArray[np.float64]

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
    undeformed = OrganMaps.of(organs[0])
    for depth in sorted(set(undeformed.depths)):
        velocity = _correction(u, organs, undeformed, depth) * share
        velocity = velocity if fade is None else velocity * fade
        if bool(velocity.any()):
            u = compose(u, correction_ddf(velocity))
            yield velocity, u


def _correction(u: Tensor, organs: Tensor, undeformed: OrganMaps, depth: int) -> Tensor:
    """The correction of all organs that lie in ``depth`` others: (1, D, *n)."""
    deformed, depths = OrganMaps.of(warp(organs, u, padding="zeros")[0]), undeformed.depths
    sizes = zip(undeformed.sizes, deformed.sizes, strict=True)
    stretched = [min(pair) >= _SMALLEST for pair in sizes]
    chosen = [k for k, at in enumerate(depths) if at == depth and stretched[k]]
    if not chosen:
        return torch.zeros_like(u)
    values = torch.cat([centred_points(u.shape[2:]), u[0].flatten(1).double()])
    reverse = np.concatenate([_reverse(values, deformed, k) for k in chosen], 1)
    found = torch.from_numpy(reverse) @ affine_basis(deformed.windows(chosen))
    return found.view(u.shape).to(u)


def _reverse(values: Tensor, organs: OrganMaps, k: int) -> _Values:
    """The velocity that takes back the stretch of an organ, and its shift in its host.

    Args:
        values: (1 + 2 D, n), ``centred_points``, then a deformation.
        organs: as they are deformed.
        k: the organ.

    Returns:
        (D, 1 + D), at the middle of the grid, and its derivatives.
    """
    centre, mean, matrix = _linear_fit(values, organs.maps[k])
    stretch = _stretch(matrix)
    velocity = np.concatenate([-(stretch @ centre)[:, None], stretch], 1)
    sizes = organs.sizes
    hosts = [j for i, j in organs.inside if i == k and sizes[j] - sizes[k] >= _SMALLEST]
    if hosts:
        host = organs.maps[min(hosts, key=lambda j: sizes[j])]
        wall = (host - organs.maps[k]).clamp_min(0)
        host_centre, host_mean, host_matrix = _linear_fit(values, wall)
        shift = mean - host_mean - host_matrix @ (centre - host_centre)
        velocity[:, 0] += np.linalg.solve(_gradient(host_matrix), shift)
    return -velocity


def _linear_fit(values: Tensor, organ: Tensor) -> tuple[_Values, _Values, _Values]:
    """Centre of an organ, and the mean and the matrix of u about it, by weighted least squares."""
    weighted = values * organ.double().clamp(0, 1).flatten() ** 2
    sums, ndim = (weighted @ values.T).numpy(), organ.dim()
    centre, mean = np.split(sums[0, 1:] / sums[0, 0], 2)
    spread = sums[1 : 1 + ndim, 1:] - sums[0, 0] * np.outer(centre, [*centre, *mean])
    gram, crossed = spread[:, :ndim], spread[:, ndim:]
    gram = gram + 1e-9 * np.trace(gram) * np.eye(ndim)
    return centre, mean, np.linalg.solve(gram, crossed).T


def _gradient(matrix: _Values) -> _Values:
    return matrix + np.eye(len(matrix))


def _stretch(matrix: _Values) -> _Values:
    """The logarithm of the right stretch of a displacement's gradient, without its mean."""
    _, values, axes = np.linalg.svd(_gradient(matrix))
    logs = np.log(values.clip(*_BELIEVED))
    return np.asarray((axes.T * (logs - logs.mean())) @ axes)
