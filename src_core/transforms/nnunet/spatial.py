"""nnU-Net's spatial transform with a deformation under it, both in one resampling.

``new(x) = patch(g(x) + u(g(x)))``: g is nnU-Net's rotation and scaling, u the deformation.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from copy import copy
from typing import Any

import torch
from batchgeneratorsv2.transforms.base.basic_transform import BasicTransform
from batchgeneratorsv2.transforms.spatial.spatial import SpatialTransform
from batchgeneratorsv2.transforms.utils.compose import ComposeTransforms
from torch import Tensor

from src_core.errors import ArgumentError
from src_core.fields.sampling import positions
from src_core.transforms.nnunet.patch_field import PatchField

__all__ = ["DEFORMED", "DeformedSpatialTransform", "with_deformations"]

#: The key under which a sample brings its ``PatchField``, or None.
DEFORMED = "deformed"
# Where nnU-Net keeps the number of channels while slices are channels too.
_COUNTS = {
    "image": "nchannels_img",
    "segmentation": "nchannels_seg",
    "regression_target": "nchannels_regr_trg",
}


def with_deformations(transforms: ComposeTransforms) -> ComposeTransforms:
    """nnU-Net's transforms of training patches, of which the spatial one deforms as well.

    Raises:
        ArgumentError: there is no spatial transform.
    """
    found = [isinstance(one, SpatialTransform) for one in transforms.transforms]
    if not any(found):
        raise ArgumentError("transforms without a SpatialTransform cannot deform")
    pairs = zip(transforms.transforms, found, strict=True)
    return ComposeTransforms(
        [DeformedSpatialTransform(one) if spatial else one for one, spatial in pairs]
    )


class DeformedSpatialTransform(BasicTransform):  # type: ignore[misc]
    """A spatial transform of nnU-Net's, and the deformation that a sample brings.

    A sample without one becomes exactly what nnU-Net makes of it. Labels, the ignore label and the
    -1 outside among them, are sampled as nnU-Net samples them.

    Args:
        inner: nnU-Net's.
    """

    def __init__(self, inner: SpatialTransform) -> None:
        super().__init__()
        self.inner = inner

    def __call__(self, **sample: Any) -> dict[str, Any]:
        """Transform a sample, (C, X, Y, Z) or (C, X, Y); in the latter slices may be channels."""
        field: PatchField | None = sample.pop(DEFORMED, None)
        if field is None:
            return dict(self.inner(**sample))
        flat = sample["image"].dim() == 3
        volumes = {k: _volume(sample, k) if flat else sample[k] for k in _COUNTS if k in sample}
        drawn = self.inner.get_parameters(**sample)
        shape = volumes["image"].shape[1:]
        at = _voxels(drawn, self.inner.patch_size, shape[1:] if flat else shape)
        if flat:
            at = _stacked(at, range(field.reach[0], shape[0] - field.reach[0]))
        grid = _unit(at + field.at(at), shape)
        inner = copy(self.inner)
        inner.patch_size = tuple(grid.shape[:3])
        made = inner.apply(volumes, **{**drawn, "grid": grid})
        return {**sample, **{k: v.flatten(0, 1) if flat else v for k, v in made.items()}}


def _volume(sample: Mapping[str, Any], key: str) -> Tensor:
    """(C, X, Y), or slices as channels (C Z, X, Y) -> (C, Z, X, Y)."""
    values: Tensor = sample[key]
    return values.unflatten(0, (sample.get(_COUNTS[key], len(values)), -1))


def _voxels(drawn: Mapping[str, Any], size: Sequence[int], shape: Sequence[int]) -> Tensor:
    """Where nnU-Net samples an array of ``shape``: (*size, D), its voxels."""
    grid: Tensor | None = drawn["grid"]
    if grid is not None:
        return ((grid.flip(-1) + 1) * torch.tensor(shape) - 1) / 2
    first = [
        math.floor(c) - n // 2
        for c, n in zip(drawn["center_location_in_pixels"], size, strict=True)
    ]
    part = [range(low, low + n) for low, n in zip(first, size, strict=True)]
    return positions(part, torch.zeros(1))[0].movedim(0, -1)


def _stacked(at: Tensor, slices: range) -> Tensor:
    """Positions in a slice, (A, B, 2), in each of some slices: (Z, A, B, 3)."""
    first = torch.tensor(slices, dtype=at.dtype).view(-1, 1, 1, 1)
    return torch.cat([first.expand(-1, *at.shape[:2], 1), at.expand(len(slices), *at.shape)], -1)


def _unit(at: Tensor, shape: Sequence[int]) -> Tensor:
    """Voxels (*size, D) as nnU-Net's samplers take them: -1 and 1 are the outer edges."""
    return ((2 * at + 1) / torch.tensor(shape) - 1).flip(-1)
