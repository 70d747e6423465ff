"""What a deformation does to the shape of organs as a whole: stretch, and a shift within another.

People's organs differ in size, orientation and position, hardly in how far they are stretched.
Stretch is smooth and as large as the organ, so that a network sees little of it in a picture; where
the organs are known, it can be read from the deformation itself and taken back.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from src_core.diffusion.flow import correction_ddf
from src_core.diffusion.organ_maps import OrganMaps
from src_core.fields import compose
from src_core.fields.moments import affine_sum, moments
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
    reverse = np.stack(_reverse(u[0], deformed, chosen), 1)
    return affine_sum(deformed.windows(chosen), reverse)[None].to(u)


@dataclass(frozen=True)
class _LinearFit:
    """Centre of an organ, and the mean (D,) and the matrix (D, D) of a deformation about it."""

    centre: _Values
    mean: _Values
    matrix: _Values


def _reverse(u: Tensor, organs: OrganMaps, chosen: Sequence[int]) -> list[_Values]:
    """The velocities that take back the stretch of organs, and their shifts in their hosts.

    Args:
        u: (D, *n), a deformation.
        organs: as they are deformed.
        chosen: their numbers.

    Returns:
        (D, 1 + D) of each: at the middle of the grid, and its derivatives.
    """
    hosts = [_host(organs, k) for k in chosen]
    walls = [
        (organs.maps[host] - organs.maps[k]).clamp_min(0)
        for k, host in zip(chosen, hosts, strict=True)
        if host is not None
    ]
    fits = _linear_fits(u, torch.stack([*organs.maps[list(chosen)], *walls]))
    found, rest = [], iter(fits[len(chosen) :])
    for fit, host in zip(fits, hosts, strict=False):
        stretch = _stretch(fit.matrix)
        velocity = np.concatenate([-(stretch @ fit.centre)[:, None], stretch], 1)
        if host is not None:
            wall = next(rest)
            shift = fit.mean - wall.mean - wall.matrix @ (fit.centre - wall.centre)
            velocity[:, 0] += np.linalg.solve(_gradient(wall.matrix), shift)
        found.append(-velocity)
    return found


def _host(organs: OrganMaps, k: int) -> int | None:
    """The smallest organ that an organ lies in; None without one that is larger enough."""
    sizes = organs.sizes
    hosts = [j for i, j in organs.inside if i == k and sizes[j] - sizes[k] >= _SMALLEST]
    return min(hosts, key=lambda j: sizes[j]) if hosts else None


def _linear_fits(u: Tensor, organs: Tensor) -> list[_LinearFit]:
    """Weighted least squares of a deformation (D, *n) about each organ (K, *n)."""
    count, ndim = len(organs), len(u)
    maps = torch.cat([organs.clamp(0, 1), torch.ones_like(organs[:1]), u.to(organs)])
    products = [(k, k, count + part) for k in range(count) for part in range(1 + ndim)]
    sums = moments(maps, np.array(products)).reshape(count, 1 + ndim, 1 + ndim, 1 + ndim)
    return [_linear_fit(one) for one in sums]


def _linear_fit(sums: _Values) -> _LinearFit:
    """From the moments of an organ's weights, and of these times each component."""
    own, moved = sums[0], sums[1:, 0]
    total, ndim = own[0, 0], len(moved)
    centre, mean = own[0, 1:] / total, moved[:, 0] / total
    gram = own[1:, 1:] - total * np.outer(centre, centre)
    crossed = moved[:, 1:].T - total * np.outer(centre, mean)
    gram = gram + 1e-9 * np.trace(gram) * np.eye(ndim)
    return _LinearFit(centre, mean, np.linalg.solve(gram, crossed).T)


def _gradient(matrix: _Values) -> _Values:
    return matrix + np.eye(len(matrix))


def _stretch(matrix: _Values) -> _Values:
    """The logarithm of the right stretch of a displacement's gradient, without its mean."""
    _, values, axes = np.linalg.svd(_gradient(matrix))
    logs = np.log(values.clip(*_BELIEVED))
    return np.asarray((axes.T * (logs - logs.mean())) @ axes)
