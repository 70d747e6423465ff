"""Measures of displacement fields and of the shapes they make, in NumPy.

``removed = 1 - |u_recovered|^2 / |u_random|^2``; ``shared = 2 <a, b> / (|a|^2 + |b|^2)``; the mean
of ``displacement_percent`` is the drift where the field should have been zero.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from src_core.errors import ArgumentError

__all__ = ["displacement_percent", "ellipse_agreement", "removed_energy", "shared_share"]


def displacement_percent(u: ArrayLike) -> tuple[float, float]:
    """Largest and mean length of a field (D, *spatial), voxels, in % of its longest side."""
    field = np.asarray(u, dtype=np.float64)
    if field.ndim < 2 or field.shape[0] != field.ndim - 1:
        raise ArgumentError(
            f"displacement_percent() 'u' must be (D, *spatial), got {tuple(field.shape)}"
        )
    length = 100 / max(field.shape[1:]) * np.sqrt(np.square(field).sum(axis=0))
    return float(length.max()), float(length.mean())


def removed_energy(random: ArrayLike, recovered: ArrayLike) -> float:
    """Share of the random fields' energy that recovery took away; 0 took nothing, 1 all.

    Args:
        random: fields of any shape, voxels; several are pooled.
        recovered: the same fields after recovery.

    Raises:
        ArgumentError: shapes differ, or the random fields are zero.
    """
    before, after = _pair("removed_energy", random, recovered)
    energy = np.square(before).sum()
    if energy == 0:
        raise ArgumentError("removed_energy() 'random' must move something, got zeros")
    return float(1 - np.square(after).sum() / energy)


def shared_share(first: ArrayLike, second: ArrayLike) -> float:
    """Share of the energy common to fields of two seeds: 0 for unrelated ones, 1 for equal ones.

    A recovery that imposes its own shape, whatever the random field was, has a large share.

    Raises:
        ArgumentError: shapes differ.
    """
    a, b = _pair("shared_share", first, second)
    energy = np.square(a).sum() + np.square(b).sum()
    return float(2 * (a * b).sum() / energy) if energy else 0.0


def ellipse_agreement(mask: ArrayLike) -> float:
    """Dice of a region with the ellipse (ellipsoid) of the same moments; 1 is a smooth wall.

    A uniform ellipse of D axes has all ``x' C^-1 x <= D + 2`` about its centre, C its covariance.

    Args:
        mask: (*spatial), voxels of the region are not zero.

    Returns:
        0 to 1, or NaN for a region that has no area.
    """
    region = np.asarray(mask) != 0
    inside = np.argwhere(region).astype(np.float64)
    if len(inside) <= region.ndim:
        return float("nan")
    covariance = np.atleast_2d(np.cov(inside.T, bias=True))
    if np.linalg.matrix_rank(covariance) < region.ndim:
        return float("nan")
    ellipse = _mahalanobis(region.shape, inside.mean(axis=0), covariance) <= region.ndim + 2
    return float(2 * (ellipse & region).sum() / (ellipse.sum() + region.sum()))


def _mahalanobis(
    shape: tuple[int, ...], centre: NDArray[np.float64], covariance: NDArray[np.float64]
) -> NDArray[np.float64]:
    offsets = np.indices(shape).reshape(len(shape), -1) - centre[:, None]
    squares = (offsets * np.linalg.solve(covariance, offsets)).sum(axis=0)
    return np.asarray(squares.reshape(shape))


def _pair(name: str, first: ArrayLike, second: ArrayLike) -> tuple[NDArray[Any], NDArray[Any]]:
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if a.shape != b.shape:
        raise ArgumentError(f"{name}() takes fields of one shape, got {a.shape} and {b.shape}")
    return a, b
