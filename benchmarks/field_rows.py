"""Rows of fields: random ones, composition, inverse, Jacobian, certificate, and the warp."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from benchmarks import inputs
from benchmarks.table import Goal, Row, Sizes
from benchmarks.timing import Work
from src_core.diffusion.multiscale_field import MultiscaleField
from src_core.diffusion.random_field import generator
from src_core.diffusion.schedule import Schedule
from src_core.fields import certify, compose, exponential, invert, jacobian_determinant
from src_core.fields.sampling import identity, sample_by_torch
from src_core.fields.warp_case import warp_case

__all__ = ["random_displacement", "rows", "torch_displacement", "volume_rows"]

_SQUARINGS = 7
_ANTS_TYPES = {"linear": "linear", "labels": "nearestneighbor"}


def rows(sizes: Sizes) -> Iterator[Row]:
    """All of them."""
    for shape in ((sizes.plane,) * 2, (sizes.volume,) * 3):
        yield Row(
            f"random diffeomorphic field, {_size(shape)}",
            lambda s=shape: lambda: random_displacement(s),
            {"torch": lambda s=shape: lambda: torch_displacement(s), "deepali": _expv(shape)},
            Goal(1.0, "torch"),
        )
    yield from volume_rows(sizes.volume)


def volume_rows(side: int, heavy: bool = True) -> Iterator[Row]:
    """Those of one volume; ``heavy`` peers take many seconds at 128^3 already."""
    shape, at = (side,) * 3, f"{side}^3"
    u, v = cache(lambda: inputs.field(shape)), cache(lambda: inputs.field(shape, 1))
    yield Row(
        f"warp of an image and 4 labels, {at}",
        lambda: _warp(side),
        {
            "SimpleITK": lambda: _sitk_warp(side),
            "torch": lambda: _torch_warp(side),
            "MONAI": lambda: _monai_warp(side),
            "antspyx": lambda: _ants_warp(side),
        },
        Goal(0.5, "SimpleITK"),
    )
    yield Row(
        f"composition of two fields, {at}",
        lambda: lambda: compose(u(), v()),
        {
            "torch": lambda: lambda: _torch_compose(u(), v()),
            "SimpleITK": lambda: _sitk_compose(u(), v()),
            "deepali": lambda: _deepali("compose_flows", _normalised(u()), _normalised(v())),
        },
    )
    yield Row(
        f"inverse of a field, {at}",
        lambda: lambda: invert(u()),
        {"SimpleITK": lambda: _sitk_image(side)}
        | ({"SimpleITK, its inverse": lambda: _sitk_inverse(u())} if heavy else {}),
        Goal(3.0, "SimpleITK"),
    )
    yield Row(
        f"Jacobian, {at}",
        lambda: lambda: jacobian_determinant(u()),
        {
            "SimpleITK": lambda: _sitk_jacobian(u()),
            "torch": lambda: lambda: _torch_jacobian(u()),
            "antspyx": lambda: _ants_jacobian(side),
            "deepali": lambda: _deepali("jacobian_det", _normalised(u())),
        },
        Goal(0.4, "SimpleITK"),
    )
    yield Row(
        f"certificate, {at}",
        lambda: lambda: certify(u()),
        {"our Jacobian": lambda: lambda: jacobian_determinant(u())},
        Goal(5.0, "our Jacobian"),
    )


def random_displacement(shape: tuple[int, ...], seed: int = 1) -> Tensor:
    """The paper's random field at full size: (1, D, *shape), voxels."""
    made = MultiscaleField(_schedule(shape[0]))
    draws = made.draw(len(shape), generator(seed))
    return exponential(made.velocity(draws), _SQUARINGS)


def torch_displacement(shape: tuple[int, ...], seed: int = 1) -> Tensor:
    """The same in ten lines of PyTorch."""
    side, ndim, schedule = shape[0], len(shape), _schedule(shape[0])
    mode, source, v = ("bilinear", "trilinear")[ndim - 2], generator(seed), 0
    for n in schedule.components:
        noise = torch.randn(1, ndim, *[n] * ndim, generator=source)
        v = v + functional.interpolate(noise, shape, mode=mode, align_corners=False) * (side / n)
    u = v * (schedule.sigma * side) / 2**_SQUARINGS
    axes = torch.meshgrid(*[torch.linspace(-1, 1, side)] * ndim, indexing="ij")
    grid = torch.stack(axes[::-1], -1)[None]
    for _ in range(_SQUARINGS):
        at = grid + u.movedim(1, -1).flip(-1) * (2 / (side - 1))
        u = u + functional.grid_sample(u, at, padding_mode="border", align_corners=True)
    return u


def _schedule(side: int) -> Schedule:
    components = tuple(max(2, side // 2**k) for k in (2, 3, 4))
    return Schedule(control=side, components=components, sigma=5e-4, squarings=_SQUARINGS)


def _expv(shape: tuple[int, ...]) -> Any:
    def prepare() -> Work:
        from deepali.core import flow

        made = MultiscaleField(_schedule(shape[0]))

        def work() -> Tensor:
            velocity = _normalised(made.velocity(made.draw(len(shape), generator(1))))
            return flow.expv(velocity, steps=_SQUARINGS)

        return work

    return prepare


def _normalised(u: Tensor) -> Tensor:
    """Voxels as deepali has them: the last axis first, -1 to 1 from end to end."""
    span = torch.tensor(u.shape[2:], dtype=u.dtype).view(1, -1, *[1] * (u.dim() - 2)) - 1
    return (u * 2 / span).flip(1)


def _deepali(name: str, *arguments: Tensor) -> Work:
    from deepali.core import flow

    function = getattr(flow, name)
    return lambda: function(*arguments)


def _torch_compose(u: Tensor, v: Tensor) -> Tensor:
    return v + sample_by_torch(u, identity(u.shape[2:], u) + v, "linear", "border")


def _torch_jacobian(u: Tensor) -> Tensor:
    """By central differences."""
    slopes = [torch.stack(torch.gradient(one)) for one in u[0]]
    return torch.linalg.det(torch.eye(3) + torch.stack(slopes).movedim((0, 1), (-2, -1)))


def _warp(side: int) -> Work:
    case, u = inputs.ball_case(side), inputs.mm_field((side,) * 3)
    return lambda: warp_case(case, u)


def _sitk_warp(side: int) -> Work:
    import SimpleITK as sitk

    images = _sitk_images(side)
    transform = _sitk_transform(_itk_vectors(inputs.mm_field((side,) * 3)))
    kinds = (sitk.sitkLinear, sitk.sitkNearestNeighbor)
    pairs = list(zip(images, kinds, strict=True))
    return lambda: [sitk.Resample(one, one, transform, kind) for one, kind in pairs]


def _sitk_image(side: int) -> Work:
    """One linear resampling of an image."""
    import SimpleITK as sitk

    image, transform = _sitk_images(side)[0], _sitk_transform(_itk_vectors(_mm(side)))
    return lambda: sitk.Resample(image, image, transform, sitk.sitkLinear)


def _torch_warp(side: int) -> Work:
    case = inputs.ball_case(side)
    image, labels = (
        torch.from_numpy(np.asarray(a))[None, None] for a in (case.image, case.labels[0].data)
    )
    u = inputs.field((side,) * 3).float()

    def work() -> object:
        at = identity(u.shape[2:], u) + u
        new = sample_by_torch(image, at, "linear", "zeros")
        return new, sample_by_torch(labels.float(), at, "nearest", "zeros").to(labels.dtype)

    return work


def _monai_warp(side: int) -> Work:
    from monai.networks.blocks import Warp

    case, u = inputs.ball_case(side), inputs.field((side,) * 3).float()
    image, labels = (
        torch.from_numpy(np.asarray(a, dtype=np.float32))[None, None]
        for a in (case.image, case.labels[0].data)
    )
    linear, nearest = Warp("bilinear", "zeros"), Warp("nearest", "zeros")
    return lambda: (linear(image, u), nearest(labels, u))


def _ants_warp(side: int) -> Work:
    import ants

    case = inputs.ball_case(side)
    vectors = ants.from_numpy(inputs.mm_field((side,) * 3), has_components=True)
    transform = ants.transform_from_displacement_field(vectors)
    pairs = [
        (ants.from_numpy(np.asarray(array, dtype=np.float32)), kind)
        for array, kind in ((case.image, "linear"), (case.labels[0].data, "nearestneighbor"))
    ]
    return lambda: [
        ants.apply_ants_transform_to_image(transform, image, image, kind) for image, kind in pairs
    ]


def _ants_jacobian(side: int) -> Work:
    import ants

    domain = ants.from_numpy(np.zeros((side,) * 3, np.float32))
    vectors = ants.from_numpy(inputs.mm_field((side,) * 3), has_components=True)
    return lambda: ants.create_jacobian_determinant_image(domain, vectors)


def _sitk_compose(u: Tensor, v: Tensor) -> Work:
    import SimpleITK as sitk

    whole = sitk.CompositeTransform([_sitk_transform(_sitk_vectors(one)) for one in (u, v)])
    size = tuple(u.shape[2:])
    return lambda: sitk.TransformToDisplacementField(whole, sitk.sitkVectorFloat64, size)


def _sitk_inverse(u: Tensor) -> Work:
    import SimpleITK as sitk

    vectors = _sitk_vectors(u)
    return lambda: sitk.InvertDisplacementField(vectors, 20, 1e-3, 1e-3)


def _sitk_jacobian(u: Tensor) -> Work:
    import SimpleITK as sitk

    vectors = _sitk_vectors(u)
    return lambda: sitk.DisplacementFieldJacobianDeterminant(vectors)


def _sitk_images(side: int) -> list[Any]:
    import SimpleITK as sitk

    case = inputs.ball_case(side)
    return [sitk.GetImageFromArray(a.T) for a in (case.image, case.labels[0].data)]


def _sitk_vectors(u: Tensor) -> Any:
    """(1, 3, X, Y, Z), voxels of 1 mm without a direction."""
    return _itk_vectors(np.moveaxis(u[0].numpy(), 0, -1))


def _itk_vectors(u: Any) -> Any:
    import SimpleITK as sitk

    turned = np.ascontiguousarray(np.asarray(u, dtype=np.float64).transpose(2, 1, 0, 3))
    return sitk.GetImageFromArray(turned, isVector=True)


def _sitk_transform(vectors: Any) -> Any:
    import SimpleITK as sitk

    return sitk.DisplacementFieldTransform(sitk.Image(vectors))


def _mm(side: int) -> Any:
    return inputs.mm_field((side,) * 3)


def _size(shape: tuple[int, ...]) -> str:
    return f"{shape[0]}^{len(shape)}"
