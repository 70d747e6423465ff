"""Measures of displacement fields, in NumPy, 2D and 3D alike.

``removed = 1 - |u_recovered|^2 / |u_random|^2``; ``shared`` = mean of <u_s, u_t> over pairs of
seeds, by the mean of |u_s|^2; ``diversity`` = deviation over seeds / root mean square.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from src_core.errors import ArgumentError
from src_core.fields import certify, enlarge, folding_permille

__all__ = [
    "displacement_percent",
    "diversity",
    "field_figures",
    "folding",
    "removed_energy",
    "shared_share",
]


def displacement_percent(u: ArrayLike) -> tuple[float, float]:
    """Largest and mean length of a field (D, *spatial), voxels, in % of its longest side."""
    field = np.asarray(u, dtype=np.float64)
    if field.ndim < 2 or field.shape[0] != field.ndim - 1:
        raise ArgumentError(
            f"displacement_percent() 'u' must be (D, *spatial), got {tuple(field.shape)}"
        )
    length = 100 / max(field.shape[1:]) * np.sqrt(np.square(field).sum(axis=0))
    return float(length.max()), float(length.mean())


def folding(u: Tensor, size: int) -> tuple[float, float]:
    """Folds of a DDF (1, D, *state) enlarged to a side of ``size``: central and strict, permille.

    Central: voxels off the border with a determinant by central differences of 0 or less. Strict:
    cells that may fold somewhere between the voxels.
    """
    factor = size // u.shape[-1]
    whole = enlarge(u.double(), factor) if factor > 1 else u.double()
    return float(folding_permille(whole)), certify(whole)[0].strict_folding_permille


def field_figures(u: Tensor, size: int) -> dict[str, float]:
    """Table 1's figures of a DDF (1, D, *state), state voxels, over an image of side ``size``."""
    largest, mean = displacement_percent(u[0])
    central, strict = folding(u, size)
    return {"max": largest, "mean": mean, "central": central, "strict": strict}


def removed_energy(random: ArrayLike, recovered: ArrayLike) -> float:
    """Share of the random fields' energy that recovery removed: 0 nothing, 1 all.

    Args:
        random: fields of any shape, voxels; several are pooled.
        recovered: the same fields after recovery.

    Raises:
        ArgumentError: shapes differ, or the random fields are zero.
    """
    before, after = np.asarray(random, np.float64), np.asarray(recovered, np.float64)
    if before.shape != after.shape:
        raise ArgumentError(
            f"removed_energy() takes fields of one shape, got {before.shape} and {after.shape}"
        )
    energy = np.square(before).sum()
    if energy == 0:
        raise ArgumentError("removed_energy() 'random' must move something, got zeros")
    return float(1 - np.square(after).sum() / energy)


def shared_share(fields: ArrayLike) -> float:
    """Share of the energy common to fields of several seeds: 0 unrelated, 1 equal.

    A recovery that imposes its own shape, whatever the random field was, has a large share.

    Args:
        fields: (seeds, ...), two or more of one image.

    Raises:
        ArgumentError: there are fewer than two.
    """
    values = _seeds("shared_share", fields)
    count, energy = len(values), np.square(values).sum()
    crossed = np.square(values.sum(axis=0)).sum() - energy
    return float(crossed / (count - 1) / energy) if energy else 0.0


def diversity(fields: ArrayLike) -> float:
    """Deviation over seeds by the root mean square: 1 unrelated, 0 equal.

    Its square is ``1 - shared_share``, the deviation being taken with ``seeds - 1``.

    Args:
        fields: (seeds, ...), two or more of one image.
    """
    values = _seeds("diversity", fields)
    energy = np.square(values).mean()
    return float(np.sqrt(values.var(axis=0, ddof=1).mean() / energy)) if energy else 0.0


def _seeds(name: str, fields: ArrayLike) -> NDArray[Any]:
    values = np.asarray(fields, dtype=np.float64)
    if values.ndim < 2 or len(values) < 2:
        raise ArgumentError(
            f"{name}() 'fields' must be (seeds, ...), 2 or more, got {values.shape}"
        )
    return values
