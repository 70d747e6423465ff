"""Training slices of a method: every slice as it is (variant 0) and ``times`` new variants.

A variant follows from the seed, the case, the slice and its number alone. All slices of a
case share one field of the model, or one elastic field; BigAug draws anew for each slice.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import torch
from torch import Tensor

from src_core.diffusion.bspline_field import elastic_ddf
from src_core.fields import magnitude
from src_core.fields.sampling import warp
from src_core.models.fit import Fit
from src_core.tasks.segmentation.methods import Method, appearance, bigaug_spatial
from src_core.tasks.segmentation.slice_stacks import SliceStack, one_hot
from src_core.transforms import Bank

__all__ = ["TrainingSlices"]


class TrainingSlices:
    """Slices and their variants, each computed on first use, and kept.

    Args:
        method: how variants are made.
        stacks: of the training cases.
        count: labels without background.
        bank: deformations of the cases, where the method needs them.
        seed: of the draws.
    """

    def __init__(
        self,
        method: Method,
        stacks: Sequence[SliceStack],
        count: int,
        bank: Bank | None,
        seed: int,
    ) -> None:
        self._method, self._count, self._bank, self._seed = method, count, bank, seed
        self._slices = [(stack, z) for stack in stacks for z in range(len(stack.images))]
        self._kept: dict[tuple[int, int], tuple[Tensor, Tensor]] = {}

    def __len__(self) -> int:
        return len(self._slices)

    def batch(self, chosen: Sequence[tuple[int, int]]) -> tuple[Tensor, Tensor]:
        """Images (B, 1, n, n) and shares of labels (B, K, n, n), 0 or 1, of slices and variants."""
        images, classes = zip(*(self.get(*one) for one in chosen), strict=True)
        return torch.stack(images).float(), one_hot(torch.stack(classes).long(), self._count)

    def get(self, index: int, variant: int) -> tuple[Tensor, Tensor]:
        """Image (1, n, n), half precision, and classes (n, n) of a slice's variant; 0 is itself."""
        if (self._method.spatial, self._method.appearance) == ("none", False):
            variant = 0
        key = index, variant
        if key not in self._kept:
            image, classes = self._made(*self._slices[index], variant)
            self._kept[key] = image.half(), classes.byte()
        return self._kept[key]

    def _made(self, stack: SliceStack, z: int, variant: int) -> tuple[Tensor, Tensor]:
        image, classes = stack.images[z], stack.classes[z]
        if not variant:
            return image, classes
        if self._method.appearance:
            image = appearance(image, self._draw(stack.name, str(z), "appearance", variant))
        if self._method.spatial == "none":
            return image, classes
        planes = torch.cat([image, one_hot(classes, self._count)])
        if self._method.spatial == "bigaug":
            moved = bigaug_spatial(planes, self._draw(stack.name, str(z), "spatial", variant))
        else:
            u = self.displacement(stack.name, variant, planes.shape[-1])
            moved = warp(planes[None], u, padding="zeros")[0]
        background = 1 - moved[1:].sum(0, keepdim=True)
        return moved[:1], torch.cat([background, moved[1:]]).argmax(0)

    def displacement(self, name: str, variant: int, side: int) -> Tensor:
        """The field of a case's variant: (1, 2, n, n), voxels of the slices."""
        assert self._bank is not None
        found = self._bank.get(name, variant - 1)
        fit = Fit((side, side), (1.0, 1.0), found.size)
        u = fit.displacement(torch.from_numpy(found.u))
        if self._method.spatial == "drdm":
            return u
        source = torch.Generator().manual_seed(self._draw(name, "", "elastic", variant))
        return elastic_ddf(side, 2, float(magnitude(u).mean()), source)

    def _draw(self, *what: object) -> int:
        return zlib.crc32(repr((self._seed, *what)).encode())
