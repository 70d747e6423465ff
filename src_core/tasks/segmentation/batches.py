"""Batches of a training: slices of its subjects, each posed, deformed and sampled once.

All random numbers of a training are drawn before it starts, on the CPU, and are the same for every
method; what is computed at a step depends on its number alone and stays on the device.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from src_core.diffusion.bspline_field import bspline
from src_core.fields.sampling import sample_square
from src_core.tasks.segmentation import intensities, pose
from src_core.tasks.segmentation.crop import CropGrid, pixel_positions
from src_core.tasks.segmentation.intensities import (
    BigAugIntensities,
    Intensities,
    NnUNetIntensities,
)
from src_core.tasks.segmentation.methods import Method
from src_core.tasks.segmentation.slice_stacks import SliceStack

__all__ = ["Batches", "SliceStore"]

_NOISE = 1 << 20
#: BigAug's elastic deformation: a Gaussian of 10 to 13 voxels over uniform noise of up to 1000
#: moves by up to 2.2 voxels, one deviation, about as smoothly as control points 20 pixels apart.
_APART, _PIXELS = 20, 2.2
#: Deviation of a cubic B-spline of independent control points of deviation 1, mean over a span.
_SPLINE_DEVIATION = 0.4794


class SliceStore:
    """All training slices on the device, and their fields.

    Args:
        stacks: of the training cases.
        crop: what the segmenter sees.
        labels: number of labels without background.
        device: where everything lies.
    """

    def __init__(
        self, stacks: Sequence[SliceStack], crop: CropGrid, labels: int, device: torch.device
    ) -> None:
        self.crop, self.device, self.labels = crop, device, labels
        self.cases = {stack.name: index for index, stack in enumerate(stacks)}
        self.case_of = torch.tensor([i for i, s in enumerate(stacks) for _ in s.images])
        planes = [torch.cat([s.network_input(crop), _shares(s.classes, labels)], 1) for s in stacks]
        self.planes = torch.cat(planes).half().to(device)
        self.fields = dict[str, Tensor]()

    def add_fields(self, kind: str, fields: dict[str, Tensor]) -> None:
        """Fields (T, 2, g, g) of some cases by name, the same number for each."""
        first = next(iter(fields.values()))
        everything = torch.zeros(len(self.cases), *first.shape, dtype=torch.float16)
        for name, of_case in fields.items():
            everything[self.cases[name]] = of_case.half()
        self.fields[kind] = everything.to(self.device)

    def slices_of(self, names: Sequence[str]) -> Tensor:
        """Indices of the slices of cases."""
        wanted = torch.tensor([self.cases[name] for name in names])
        return torch.isin(self.case_of, wanted).nonzero()[:, 0]


@dataclass(frozen=True, eq=False)
class _Draws:
    """Random numbers of a training, the steps along axis 0, on the device.

    Attributes:
        slices: (S, B) of the store; ``fields`` (S, B) of its flattened bank.
        uniform: (S, B, n) in 0..1, for the pose and the intensities.
        noise: (S, B), where in the pool the noise image of a sample begins.
        spline: (S, B, 2, p, p) normal, for BigAug; else empty.
    """

    slices: Tensor
    fields: Tensor
    uniform: Tensor
    noise: Tensor
    spline: Tensor


class Batches:
    """Batches of one training.

    Args:
        store: the slices.
        names: of the cases that are trained on.
        method: what is done to them.
        steps: of the training; ``batch`` slices in each.
        seed: of all draws.
    """

    def __init__(
        self,
        store: SliceStore,
        names: Sequence[str],
        method: Method,
        *,
        steps: int,
        batch: int,
        seed: int,
    ) -> None:
        crop, device = store.crop, store.device
        self._store, self._method = store, method
        self._bank = store.fields[method.field].flatten(0, 1) if method.field else None
        self._draws = self._drawn(names, steps, batch, seed)
        pool = torch.randn(_NOISE, generator=torch.Generator().manual_seed(seed))
        self._pool = pool.to(device)
        self._pixels = torch.arange(crop.size**2, device=device)
        self._positions = pixel_positions(crop.size, crop.spacing)[0].to(device)
        self._spline = _spline_weights(crop).to(device)
        self._intensities: Intensities | None = None
        if method.intensities == "nnunet":
            self._intensities = NnUNetIntensities(crop.size, device)
        elif method.intensities == "bigaug":
            self._intensities = BigAugIntensities(crop.size, device)

    def __call__(self, step: Tensor) -> tuple[Tensor, Tensor]:
        """Images (B, 1, n, n) and classes (B, n, n) of a step, its number a tensor (1,)."""
        chosen, side = self._at(self._draws.slices, step), self._store.crop.size
        uniform = self._at(self._draws.uniform, step)
        at = self._where(uniform[:, : pose.DRAWS], step)
        planes = self._store.planes.index_select(0, chosen).float()
        half = self._store.crop.canvas * self._store.crop.spacing / 2
        moved = sample_square(planes, at / half)
        image, shares = moved[:, :1], moved[:, 1:]
        background = 1 - shares.sum(1, keepdim=True)
        classes = torch.cat([background, shares], 1).argmax(1)
        if self._intensities is not None:
            start = self._at(self._draws.noise, step)
            noise = self._pool[start[:, None] + self._pixels].view(-1, 1, side, side)
            image = self._intensities(image, uniform[:, pose.DRAWS :], noise)
        return image, classes

    def _where(self, uniform: Tensor, step: Tensor) -> Tensor:
        """Positions in mm that are sampled: a pose, then a deformation."""
        method, crop = self._method, self._store.crop
        if method.pose == "none":
            at = self._positions.expand(len(uniform), -1, -1, -1)
        else:
            at = pose.posed(pose.POSES[method.pose], self._positions, uniform)
        half = crop.size * crop.spacing / 2
        if self._bank is not None:
            fields = self._bank.index_select(0, self._at(self._draws.fields, step)).float()
            at = at + sample_square(fields, at / half)
        if method.pose == "bigaug":
            points = self._at(self._draws.spline, step)
            moved = self._spline @ points @ self._spline.T
            strength = torch.where(uniform[:, 4] < 0.5, uniform[:, 5], 0.0)
            at = at + sample_square(moved * strength[:, None, None, None], at / half)
        return at

    def _at(self, values: Tensor, step: Tensor) -> Tensor:
        return values.index_select(0, step)[0]

    def _drawn(self, names: Sequence[str], steps: int, batch: int, seed: int) -> _Draws:
        source, store = torch.Generator().manual_seed(seed), self._store
        own, shape = store.slices_of(names), (steps, batch)
        slices = own[torch.randint(len(own), shape, generator=source)]
        numbers = torch.rand(shape, generator=source)
        uniform = torch.rand(*shape, pose.DRAWS + intensities.DRAWS, generator=source)
        noise = torch.randint(_NOISE - store.crop.size**2, shape, generator=source)
        fields = torch.zeros(shape, dtype=torch.int64)
        if self._method.field:
            times = store.fields[self._method.field].shape[1]
            fields = store.case_of[slices] * times + (numbers * times).long().clamp(max=times - 1)
        points = _spline_points(store.crop) if self._method.pose == "bigaug" else 0
        spline = torch.randn(*shape, 2, points, points, generator=source)
        on = (t.to(store.device) for t in (slices, fields, uniform, noise, spline))
        return _Draws(*on)


def _shares(classes: Tensor, labels: int) -> Tensor:
    return functional.one_hot(classes.long(), labels + 1)[..., 1:].movedim(-1, 1).float()


def _spline_points(crop: CropGrid) -> int:
    return round(crop.size / _APART) + 3


def _spline_weights(crop: CropGrid) -> Tensor:
    """Weights of control points at the pixels, (n, p), for a deviation of 2.2 pixels in mm."""
    points = _spline_points(crop)
    rows = np.eye(points)[:, :, None].repeat(points, 2)
    weights = torch.from_numpy(bspline(rows, crop.size)[:, :, 0]).T
    return weights.float() * (_PIXELS * crop.spacing / _SPLINE_DEVIATION) ** 0.5
