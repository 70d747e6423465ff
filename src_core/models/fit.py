"""From a case's own grid to a model's and back.

The model's grid is isotropic and covers the whole image, centre on centre, padded, never
cropped: ``mm per pixel = longest side in mm / size``. Displacements come back by linear sampling.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor

from src_core.fields.sampling import identity, sample, sample_lines

__all__ = ["Fit"]


@dataclass(frozen=True)
class Fit:
    """How an image lies in a model's grid.

    Attributes:
        shape: voxels of the image along its D axes.
        spacing: mm, along the same axes.
        size: voxels per side of the model's grid.
    """

    shape: tuple[int, ...]
    spacing: tuple[float, ...]
    size: int

    @property
    def mm_per_pixel(self) -> float:
        """Side of a model pixel in mm."""
        extents = [n * s for n, s in zip(self.shape, self.spacing, strict=True)]
        return max(extents) / self.size

    def image(self, values: NDArray[np.float32]) -> Tensor:
        """An image (*shape) on the model's grid: (1, 1, *size), low-passed first, zero outside."""
        ratio = [self.mm_per_pixel / s for s in self.spacing]
        blur = [0.5 * max(r * r - 1.0, 0.0) ** 0.5 for r in ratio]
        smooth = ndimage.gaussian_filter(values.astype(np.float32), blur, mode="nearest")
        return sample(torch.from_numpy(smooth)[None, None], self._model_in_case(), padding="zeros")

    def displacement(self, u: Tensor, part: Sequence[range] | None = None) -> Tensor:
        """A DDF on the state grid, (B, D, *state) in its voxels, at the image's own voxels.

        Returns:
            (B, D, *shape), voxels of the image along each axis; only at ``part``, if given.
        """
        state = u.shape[-1]
        part = part or [range(n) for n in self.shape]
        lines = [self._state_line(axis, one, state) for axis, one in enumerate(part)]
        mm = self.mm_per_pixel * self.size / state
        scaled = u * (mm / self._column(self.spacing, u))
        return sample_lines(scaled, [line.to(u.device, u.dtype) for line in lines])

    def inside(self, state: int) -> Tensor:
        """Which voxels of a state grid lie in the image, and not in its padding: (*state), bool."""
        at = identity([state] * len(self.shape), torch.zeros(1))
        mm = self.mm_per_pixel * self.size / state
        half = [n * s / 2 for n, s in zip(self.shape, self.spacing, strict=True)]
        reach = self._column([h + 1e-3 * mm for h in half], at)
        return (((at + 0.5 - state / 2) * mm).abs() <= reach).all(dim=1)[0]

    def to_state(self, at: Tensor, state: int) -> Tensor:
        """Positions (B, D, *any) in voxels of the image -> voxels of a state grid of that side."""
        shape = [1, -1, *[1] * (at.dim() - 2)]
        spacing = torch.tensor(self.spacing, dtype=at.dtype).view(shape)
        centre = torch.tensor([(n - 1) / 2 for n in self.shape], dtype=at.dtype).view(shape)
        scale = state / (self.size * self.mm_per_pixel)
        return (at - centre) * spacing * scale + (state - 1) / 2

    def _state_line(self, axis: int, part: range, state: int) -> Tensor:
        """Positions of voxels along an axis in voxels of a state grid, float64."""
        line = torch.arange(part.start, part.stop, part.step, dtype=torch.float64)
        scale = self.spacing[axis] * state / (self.size * self.mm_per_pixel)
        return (line - (self.shape[axis] - 1) / 2) * scale + (state - 1) / 2

    def _model_in_case(self) -> Tensor:
        """Positions of the model's pixels in voxels of the image: (1, D, *size)."""
        grid = identity([self.size] * len(self.shape), torch.zeros(1))
        spacing, centre = self._column(self.spacing, grid), self._centre(grid)
        return (grid - (self.size - 1) / 2) * (self.mm_per_pixel / spacing) + centre

    def _centre(self, like: Tensor) -> Tensor:
        return self._column([(n - 1) / 2 for n in self.shape], like)

    def _column(self, numbers: tuple[float, ...] | list[float], like: Tensor) -> Tensor:
        values = torch.tensor(numbers, dtype=like.dtype, device=like.device)
        return values.view(1, -1, *[1] * len(numbers))
