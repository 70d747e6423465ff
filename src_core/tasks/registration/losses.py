"""Losses of a registration network: of the field on synthetic pairs, of images on real ones."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from src_core.fields.sampling import warp
from src_core.tasks.registration.options import Similarity
from src_core.tasks.registration.pair_batches import PairBatch
from src_core.training.losses import gradient

__all__ = ["Loss", "mixed", "supervised", "unsupervised"]

Loss = Callable[[Tensor, PairBatch], Tensor]

_NCC_SIDE = 9


def supervised(smooth: float) -> Loss:
    """Paper, eq. 20: ``|u - u_2|^2``, where it is known, + ``smooth |grad u|^2``, voxels."""

    def loss(u: Tensor, batch: PairBatch) -> Tensor:
        assert batch.truth is not None and batch.known is not None
        error = (u - batch.truth).square().mean(1, keepdim=True)
        known = batch.known.to(error.dtype)
        return (error * known).sum() / known.sum().clamp(min=1) + smooth * gradient(u).mean()

    return loss


def unsupervised(similarity: Similarity, smooth: float) -> Loss:
    """VoxelMorph's: unlikeness of ``moving(x + u(x))`` and fixed + ``smooth |grad u|^2``.

    The unlikeness is the mean squared difference, or 1 less the squared local correlation in 9
    voxels. Outside the window its border is repeated, as the image may go on there.
    """
    unlike = _correlation() if similarity == "ncc" else _mean_square

    def loss(u: Tensor, batch: PairBatch) -> Tensor:
        moved = warp(batch.moving, u)
        return unlike(moved, batch.fixed) + smooth * gradient(u).mean()

    return loss


def mixed(real: Loss, synthetic: Loss, weight: float) -> Loss:
    """``real`` of a batch's first pairs + ``weight`` times ``synthetic`` of those with a truth."""

    def loss(u: Tensor, batch: PairBatch) -> Tensor:
        assert batch.truth is not None
        first = len(u) - len(batch.truth)
        known = PairBatch(batch.moving[first:], batch.fixed[first:], batch.truth, batch.known)
        unknown = PairBatch(batch.moving[:first], batch.fixed[:first])
        return real(u[:first], unknown) + weight * synthetic(u[first:], known)

    return loss


def _mean_square(one: Tensor, other: Tensor) -> Tensor:
    return (one - other).square().mean()


def _correlation() -> Callable[[Tensor, Tensor], Tensor]:
    from monai.losses.image_dissimilarity import LocalNormalizedCrossCorrelationLoss

    def unlike(one: Tensor, other: Tensor) -> Tensor:
        ndim = one.dim() - 2
        measure = LocalNormalizedCrossCorrelationLoss(ndim, _NCC_SIDE, smooth_dr=1e-4)
        return 1 + measure(one, other)

    return unlike
