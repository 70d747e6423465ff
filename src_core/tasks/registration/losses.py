"""Losses of a registration network: of the field where it is known, of images where it is not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from torch import Tensor

from src_core.fields.sampling import warp
from src_core.tasks.registration.samples import Batch
from src_core.training.losses import gradient

__all__ = ["Loss", "Similarity", "supervised", "unsupervised"]

Similarity = Literal["mse", "ncc"]
Loss = Callable[[Tensor, Batch], Tensor]

_NCC_SIDE = 9


def supervised(smooth: float) -> Loss:
    """Paper, eq. 20: ``|u - u_2|^2``, where it is known, + ``smooth |grad u|^2``, voxels."""

    def loss(u: Tensor, batch: Batch) -> Tensor:
        assert batch.truth is not None and batch.known is not None
        error = (u - batch.truth).square().mean(1, keepdim=True)
        known = batch.known.to(error.dtype)
        return (error * known).sum() / known.sum().clamp(min=1) + smooth * gradient(u).mean()

    return loss


def unsupervised(similarity: Similarity, smooth: float) -> Loss:
    """VoxelMorph's: likeness of ``moving(x + u(x))`` and fixed + ``smooth |grad u|^2``.

    Likeness is the mean square, or 1 less the square of the local correlation in 9 voxels. Beyond
    the window its border goes on: it may lie in the midst of an image.
    """
    alike = _correlation() if similarity == "ncc" else _mean_square

    def loss(u: Tensor, batch: Batch) -> Tensor:
        moved = warp(batch.moving, u)
        return alike(moved, batch.fixed) + smooth * gradient(u).mean()

    return loss


def _mean_square(one: Tensor, other: Tensor) -> Tensor:
    return (one - other).square().mean()


def _correlation() -> Callable[[Tensor, Tensor], Tensor]:
    from monai.losses.image_dissimilarity import LocalNormalizedCrossCorrelationLoss

    def alike(one: Tensor, other: Tensor) -> Tensor:
        ndim = one.dim() - 2
        measure = LocalNormalizedCrossCorrelationLoss(ndim, _NCC_SIDE, smooth_dr=1e-4)
        return 1 + measure(one, other)

    return alike
