"""Cases as input of the segmenter: every slice on the canvas about the crop."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor

from src_core.datasets.reading import Entry
from src_core.fields.sampling import sample
from src_core.io import read_case
from src_core.tasks.data import first_labels
from src_core.tasks.segmentation.crop import CropGrid, PlaneAxes, pixel_positions, plane_axes

__all__ = ["SliceStack", "read_stack"]

#: Percentiles of the image that become 0 and 1.
_RANGE = (0.5, 99.5)


@dataclass(frozen=True, eq=False)
class SliceStack:
    """A case's slices.

    Attributes:
        name: of the case; ``subject`` the person it belongs to.
        images: (Z, c, c) in 0..1 on the canvas, half precision.
        classes: (Z, c, c) on the canvas, uint8, index into background and labels.
        spacing: mm between slices, then the side of a pixel, twice.
    """

    name: str
    subject: str
    images: Tensor
    classes: Tensor
    spacing: tuple[float, float, float]

    def network_input(self, crop: CropGrid) -> Tensor:
        """All of the canvas, (Z, 1, c, c) float32, mean 0 and deviation 1 over the crop."""
        images = self.images.float()
        seen = images[:, crop.inner, crop.inner]
        return ((images - seen.mean()) / seen.std().clamp(min=1e-6))[:, None]

    def only_labelled(self) -> SliceStack:
        """The slices that show a label."""
        shown = (self.classes > 0).flatten(1).any(1)
        return SliceStack(
            self.name, self.subject, self.images[shown], self.classes[shown], self.spacing
        )


def read_stack(entry: Entry, name: str, crop: CropGrid, labels: tuple[int, ...]) -> SliceStack:
    """Read a case; of a cine its first frame. Images are low-passed before they are sampled."""
    case = read_case(entry.image, entry.labels)
    axis, axes = case.grid.slice_axis, plane_axes(case.grid)
    image = case.image[..., 0] if case.image.ndim == 4 else case.image
    at = axes.voxels(pixel_positions(crop.canvas, crop.spacing), crop.centre)
    planes = np.moveaxis(_unit(np.asarray(image, dtype=np.float32)), axis, 0)
    images = [sample(_smooth(plane, axes, crop.spacing), at, padding="zeros") for plane in planes]
    classes = [_classes(p, at, labels) for p in np.moveaxis(first_labels(case), axis, 0)]
    spacing = (case.grid.spacing[axis], crop.spacing, crop.spacing)
    stacked = torch.cat(images)[:, 0].half()
    return SliceStack(name, entry.subject, stacked, torch.stack(classes), spacing)


def _unit(image: NDArray[np.float32]) -> NDArray[np.float32]:
    low, high = np.percentile(image, _RANGE)
    return np.asarray(((image - low) / max(high - low, 1e-6)).clip(0, 1), dtype=np.float32)


def _smooth(plane: NDArray[np.float32], axes: PlaneAxes, spacing: float) -> Tensor:
    ratio = [spacing / s for s in axes.spacing]
    blur = [0.5 * max(r * r - 1.0, 0.0) ** 0.5 for r in ratio]
    return torch.from_numpy(ndimage.gaussian_filter(plane, blur, mode="nearest"))[None, None]


def _classes(plane: NDArray[np.integer], at: Tensor, labels: tuple[int, ...]) -> Tensor:
    """One-hot shares are sampled, and the largest wins: (c, c), uint8."""
    masks = np.stack([plane == value for value in labels]).astype(np.float32)
    shares = sample(torch.from_numpy(masks)[None], at, padding="zeros")[0]
    background = 1 - shares.sum(0, keepdim=True)
    return torch.cat([background, shares]).argmax(0).byte()
