"""Voxels as they are stored, with the header they came with: images, and label maps.

The two differ by type so that labels are never interpolated as intensities.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import nibabel as nib
from numpy.typing import NDArray

from src_core.cases.header import scaling_of

__all__ = ["Image", "LabelMap", "Volume"]

_V = TypeVar("_V", bound="Volume")


@dataclass(frozen=True, eq=False, repr=False)
class Volume:
    """Stored voxels.

    Args:
        data: (X, Y, Z) or (X, Y, Z, T), stored values in the stored type, native byte order.
        header: as read; never changed.
        path: the file it was read from.
        channel: which channel of that file it is, from 0, where it is a picture in colour.
    """

    data: NDArray[Any]
    header: nib.Nifti1Header
    path: Path | None = None
    channel: int | None = None

    def __repr__(self) -> str:
        frames = f"{self.frames} frames of " if self.frames > 1 else ""
        low, high = (self.data.min(), self.data.max()) if self.data.size else (0, 0)
        return f"{type(self).__name__}({frames}{self.data.dtype}, {low:g} to {high:g})"

    @property
    def shape(self) -> tuple[int, int, int]:
        """(X, Y, Z)."""
        x, y, z = self.data.shape[:3]
        return x, y, z

    @property
    def frames(self) -> int:
        """T of a cine, 1 for a single volume."""
        return int(self.data.shape[3]) if self.data.ndim == 4 else 1

    @property
    def scaling(self) -> tuple[float, float]:
        """(slope, intercept): physical value = slope * stored value + intercept."""
        return scaling_of(self.header)

    def with_data(self: _V, data: NDArray[Any]) -> _V:
        """The same header with other voxels, which are in no file."""
        return replace(self, data=data, path=None)


class Image(Volume):
    """Intensities."""


class LabelMap(Volume):
    """Labels: whole numbers, of whatever stored type."""
