"""A field sampled at affine positions of a grid: ``s_c u_c(A x) + (P x)_c``, linear.

A field of a model's grid comes to an image's voxels so, and a field under a pose does.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from src_core.fields.kernels.affine import affine_values, can_sample_affinely
from src_core.fields.sampling import positions, sample

__all__ = ["sample_affine"]


def sample_affine(
    u: Tensor,
    at: ArrayLike,
    part: Sequence[range],
    scale: ArrayLike | None = None,
    added: ArrayLike | None = None,
) -> Tensor:
    """A field's values where an affine map takes the voxels of a grid.

    Args:
        u: (B, D, *in); its border continues.
        at: (D, D + 1), A: from voxels of the output to voxels of u.
        part: voxels of the output along each axis.
        scale: (D,), s: of each component; None for 1.
        added: (D, D + 1), P: what is added to the values; None for nothing.

    Returns:
        (B, D, *part), of the type of u.
    """
    ndim = len(part)
    whole = _array(at, (ndim, ndim + 1))
    sizes = np.ones(ndim) if scale is None else _array(scale, (ndim,))
    more = np.zeros((ndim, ndim + 1)) if added is None else _array(added, (ndim, ndim + 1))
    if can_sample_affinely(u, part):
        return affine_values(u, whole, part, sizes, more)
    x = positions(part, u)
    where = _mapped(whole, x)
    column = torch.from_numpy(sizes).to(u).view(1, -1, *[1] * ndim)
    values = sample(u, where.expand(len(u), *where.shape[1:])) * column
    return values if added is None else values + _mapped(more, x)


def _mapped(matrix: NDArray[np.float64], x: Tensor) -> Tensor:
    """Positions (1, D, *any) through an affine map (D, D + 1)."""
    linear = torch.from_numpy(matrix).to(x)
    moved = torch.einsum("ij,bj...->bi...", linear[:, :-1], x)
    return moved + linear[:, -1].view(1, -1, *[1] * (x.dim() - 2))


def _array(values: ArrayLike, shape: tuple[int, ...]) -> NDArray[np.float64]:
    return np.ascontiguousarray(np.asarray(values, dtype=np.float64).reshape(shape))
