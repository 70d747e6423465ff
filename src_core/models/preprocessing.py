"""Intensities as a network sees them (paper 3.2): thresholded, then 0..1 by robust percentiles.

The setting is part of a model: the same code prepares its training images and every case later.
Resizing and padding to the model's grid is ``Fit``'s. The case's own intensities never change.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, model_validator

from src_core.cases.volume import Image
from src_core.errors import InputError, IntensityWarning

__all__ = ["Preprocessing", "intensity_window", "with_preprocessing"]


#: Whole numbers up to this one are exact in float32.
_EXACT = 2.0**24
#: Part of the range at its ends, and part of the voxels, by which a value alone in it is found.
_END, _FEW = 0.02, 0.005


class Preprocessing(BaseModel):
    """How intensities become 0..1.

    Attributes:
        percentiles: of the intensities, that become 0 and 1.
        below, above: physical values (HU in CT) beyond these are empty: 0 to the network, and not
            counted in the percentiles; None for no threshold.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    percentiles: tuple[float, float] = (0.5, 99.5)
    below: float | None = None
    above: float | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Preprocessing:
        low, high = self.percentiles
        if not 0 <= low < high <= 100:
            raise ValueError(f"percentiles {self.percentiles} must rise from 0 to 100")
        if self.below is not None and self.above is not None and self.below >= self.above:
            raise ValueError(f"below {self.below:g} must be less than above {self.above:g}")
        return self

    def unit_range(self, image: Image) -> NDArray[np.float32]:
        """The frames of an image in 0..1: (T, X, Y, Z).

        Raises:
            InputError: the thresholds leave nothing.
        """
        slope, _ = image.scaling
        kind = _enough(image.data)
        data = image.data.astype(kind) * np.asarray(np.sign(slope), kind)
        kept = self._kept(image)
        low, high = intensity_window(data if kept is None else data[kept], self.percentiles)
        unit = ((data - low) / (high - low)).clip(0, 1).astype(np.float32, copy=False)
        inner = unit if kept is None else unit[kept]
        if message := _extreme(data if kept is None else data[kept], inner, slope):
            warnings.warn(f"{message}, {image.path or 'image'}", IntensityWarning, stacklevel=2)
        unit = unit if kept is None else unit * kept
        return np.moveaxis(unit if unit.ndim == 4 else unit[..., None], -1, 0)

    def _kept(self, image: Image) -> NDArray[np.bool_] | None:
        """What the thresholds leave, None where there are none."""
        if self.below is None and self.above is None:
            return None
        slope, inter = image.scaling
        physical = image.data.astype(np.float64) * slope + inter
        low = -np.inf if self.below is None else self.below
        high = np.inf if self.above is None else self.above
        kept = (physical >= low) & (physical <= high)
        if not kept.any():
            raise InputError(
                f"no voxel lies between {low:g} and {high:g}, the model's thresholds",
                where=str(image.path or "image"),
                expected="an image in the units it was trained on",
            )
        return kept


def _extreme(values: NDArray[Any], unit: NDArray[np.float32], slope: float) -> str:
    """What is wrong where one value takes up the range of all others, else nothing.

    Args:
        values: stored, with the sign of their slope.
        unit: the same in 0..1.
        slope: of the stored values.
    """
    between = np.count_nonzero((unit > _END) & (unit < 1 - _END))
    if between > _FEW * unit.size:
        return ""
    low, high = values[unit <= _END], values[unit >= 1 - _END]
    if not low.size or not high.size or (low.min() == low.max()) == (high.min() == high.max()):
        return ""  # two values, or two groups of values
    alone = low if low.min() == low.max() else high
    return (
        f"{100 * alone.size / unit.size:.3g} % of the voxels are {alone[0] * np.sign(slope):g}, "
        "so far from all others that the network sees no contrast: replace them by the value of "
        "the background"
    )


def _enough(data: NDArray[Any]) -> type[np.float32] | type[np.float64]:
    """The type in which stored values differ as they do: float32 up to 2^24, where it is exact."""
    if data.dtype.itemsize < 4 or data.dtype == np.float32 or not data.size:
        return np.float32
    largest = max(abs(float(data.max())), abs(float(data.min())))
    return np.float32 if largest <= _EXACT else np.float64


def intensity_window(
    values: NDArray[np.generic], percentiles: tuple[float, float]
) -> tuple[float, float]:
    """Robust range of intensities: the percentiles, or all of it where those are one value."""
    low, high = np.percentile(values.astype(np.float64), percentiles)
    if high <= low:
        low, high = float(values.min()), float(values.max())
    return float(low), float(max(high, low + np.finfo(np.float32).tiny))


def with_preprocessing(values: Any) -> Any:
    """Settings of before there was ``preprocessing``, when ``percentiles`` stood alone."""
    if not isinstance(values, dict) or "percentiles" not in values:
        return values
    rest = {key: value for key, value in values.items() if key != "percentiles"}
    return {"preprocessing": {"percentiles": values["percentiles"]}, **rest}
