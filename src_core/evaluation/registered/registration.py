"""Registration of two images by SimpleITK: a similarity by correlation, then diffeomorphic demons.

Positions are mm from an image's centre; both registrations map the fixed image's positions to the
moving one's. One thread each, so that the same images give the same field.

Source: Vercauteren et al. 2009, doi:10.1016/j.neuroimage.2008.10.040.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from src_core.fields import enlarge
from src_core.fields.sampling import identity
from src_core.io.itk import simpleitk

__all__ = ["Similarity", "demons", "similarity"]

#: Sides of the images at the levels of a pyramid, by the whole side.
_SHRINK = (4, 2, 1)
_SMALLEST = 16
_ITERATIONS = 100
#: Gaussian over the demons' displacement field, standard deviation in voxels.
_SMOOTHING = 1.5


@dataclass(frozen=True, eq=False)
class Similarity:
    """``x -> linear x + shift``: rotation, one scale and a shift, mm from the images' centres.

    Attributes:
        linear: (D, D).
        shift: (D,), mm.
    """

    linear: NDArray[np.float64]
    shift: NDArray[np.float64]

    @property
    def scale(self) -> float:
        """The factor on all lengths."""
        return float(abs(np.linalg.det(self.linear)) ** (1 / len(self.linear)))

    def inverse(self) -> Similarity:
        """The reverse map."""
        back = np.linalg.inv(self.linear)
        return Similarity(np.asarray(back, np.float64), -back @ self.shift)

    def voxels(self, fixed: tuple[int, float], moving: tuple[int, float]) -> Tensor:
        """Where the voxels of the fixed grid lie in the moving one: (1, D, *fixed), its voxels.

        Args:
            fixed: voxels per side and mm per voxel; ``moving`` likewise.
        """
        (side, mm), (other, other_mm), ndim = fixed, moving, len(self.shift)
        at = (identity([side] * ndim, torch.zeros(1, dtype=torch.float64)) - (side - 1) / 2) * mm
        shape = [1, ndim, *[1] * ndim]
        moved = torch.einsum("ij,bj...->bi...", torch.from_numpy(self.linear), at)
        moved = moved + torch.from_numpy(self.shift).view(shape)
        return moved / other_mm + (other - 1) / 2


def similarity(
    fixed: Tensor,
    moving: Tensor,
    mm: tuple[float, float],
    centres: tuple[NDArray[np.float64], NDArray[np.float64]],
) -> Similarity:
    """The similarity of the fixed image's positions to the moving one's, of largest correlation.

    Args:
        fixed, moving: (*spatial), any intensities.
        mm: per voxel, of each.
        centres: (D,) each, mm from the image's centre; the search starts with one on the other.
    """
    sitk, ndim = simpleitk(), fixed.dim()
    start = sitk.Similarity2DTransform() if ndim == 2 else sitk.Similarity3DTransform()
    start.SetCenter(centres[0][::-1].tolist())
    start.SetTranslation((centres[1] - centres[0])[::-1].tolist())
    method = sitk.ImageRegistrationMethod()
    method.SetNumberOfThreads(1)
    method.SetMetricAsCorrelation()
    method.SetInterpolator(sitk.sitkLinear)
    method.SetOptimizerAsRegularStepGradientDescent(
        1.0, 1e-3, 2 * _ITERATIONS, relaxationFactor=0.7, gradientMagnitudeTolerance=1e-8
    )
    method.SetOptimizerScalesFromPhysicalShift()
    shrink = _pyramid(min(fixed.shape[-1], moving.shape[-1]))
    method.SetShrinkFactorsPerLevel(shrink)
    method.SetSmoothingSigmasPerLevel([s / 2 for s in shrink])
    method.SmoothingSigmasAreSpecifiedInPhysicalUnitsOff()
    method.SetInitialTransform(start, inPlace=True)
    method.Execute(_image(sitk, fixed, mm[0]), _image(sitk, moving, mm[1]))
    shift = np.array(start.TransformPoint([0.0] * ndim))
    linear = np.reshape(start.GetMatrix(), (ndim, ndim))
    return Similarity(linear[::-1, ::-1].copy(), shift[::-1].copy())


def demons(fixed: Tensor, moving: Tensor) -> Tensor:
    """The field u of the fixed grid with ``moving(x + u(x)) = fixed(x)``, from coarse to fine.

    Args:
        fixed, moving: (*spatial), all sides equal, 0..1.

    Returns:
        (1, D, *spatial), voxels, invertible but for its sampling.
    """
    sitk, side = simpleitk(), fixed.shape[-1]
    u = torch.zeros(1, fixed.dim(), *[1] * fixed.dim(), dtype=torch.float64)
    for shrink in _pyramid(side):
        method = sitk.DiffeomorphicDemonsRegistrationFilter()
        method.SetNumberOfThreads(1)
        method.SetNumberOfIterations(_ITERATIONS)
        method.SetStandardDeviations(_SMOOTHING)
        images = [_image(sitk, _shrunk(values, shrink)) for values in (fixed, moving)]
        start = enlarge(u, side // shrink // u.shape[-1])
        found = method.Execute(*images, _vectors(sitk, start))
        last = sitk.GetArrayFromImage(found)[..., ::-1]
        u = torch.from_numpy(np.moveaxis(last, -1, 0)[None].copy())
    return u.float()


def _pyramid(side: int) -> list[int]:
    """Factors from coarse to fine that divide a side and leave enough of it."""
    return [s for s in _SHRINK if s == 1 or (side % s == 0 and side // s >= _SMALLEST)]


def _shrunk(values: Tensor, factor: int) -> Tensor:
    pool = {2: functional.avg_pool2d, 3: functional.avg_pool3d}[values.dim()]
    return pool(values[None, None], factor)[0, 0]


def _image(sitk: Any, values: Tensor, mm: float | None = None) -> Any:
    """An image of SimpleITK, in voxels, or in mm from its centre; axes in reverse order."""
    image = sitk.GetImageFromArray(values.numpy().astype(np.float32))
    if mm is not None:
        image.SetSpacing([mm] * values.dim())
        image.SetOrigin([-(n - 1) / 2 * mm for n in reversed(values.shape)])
    return image


def _vectors(sitk: Any, u: Tensor) -> Any:
    """A field (1, D, *spatial), voxels, as SimpleITK has it."""
    last = np.moveaxis(u[0].double().numpy(), 0, -1)[..., ::-1]
    return sitk.GetImageFromArray(np.ascontiguousarray(last), isVector=True)
