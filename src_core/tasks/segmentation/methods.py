"""Methods of augmentation: BigAug by MONAI's transforms, elastic, and a model's deformations.

BigAug stacks nine transforms, each with a chance of one half (Zhang et al., 2020, DOI
10.1109/TMI.2020.2973595): sharpness, blur, noise; brightness, contrast, perturbation; rotation,
scale, elastic deformation. Intensities are changed in deviations of the image.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import radians
from typing import Any, Literal

from torch import Tensor

from src_core.tasks.segmentation.options import MethodName

__all__ = ["METHODS", "Method", "appearance", "bigaug_spatial"]

_CHANCE = 0.5
#: A Gaussian of 10 to 13 voxels over uniform noise of up to 1000 in 3D, as BigAug has it, moves
#: by up to 2.2 voxels, one deviation, and is as smooth as these control points.
_ELASTIC_SPACING, _ELASTIC_VOXELS = (20.0, 20.0), (0.0, 2.2)


@dataclass(frozen=True)
class Method:
    """The deformation of an image, and whether its intensities change as in BigAug."""

    spatial: Literal["none", "bigaug", "elastic", "drdm"]
    appearance: bool = False

    @property
    def needs_fields(self) -> bool:
        """Whether it needs the model's deformations, or their magnitudes alone."""
        return self.spatial in ("elastic", "drdm")


METHODS: dict[MethodName, Method] = {
    "none": Method("none"),
    "bigaug": Method("bigaug", appearance=True),
    "appearance": Method("none", appearance=True),
    "elastic": Method("elastic"),
    "drdm": Method("drdm"),
    "drdm+appearance": Method("drdm", appearance=True),
}


def appearance(image: Tensor, seed: int) -> Tensor:
    """Image quality and appearance of BigAug: (1, n, n) in 0..1, the result may go beyond."""
    mean, deviation = image.mean(), image.std().clamp(min=1e-6)
    drawn = _appearance()
    drawn.set_random_state(seed)
    return _tensor(drawn((image - mean) / deviation)) * deviation + mean


def bigaug_spatial(planes: Tensor, seed: int) -> Tensor:
    """Rotation, scale and elastic deformation of BigAug, all channels alike: (C, n, n)."""
    drawn = _spatial()
    drawn.set_random_state(seed)
    return _tensor(drawn(planes))


@lru_cache(maxsize=1)
def _appearance() -> Any:
    from monai import transforms as monai

    perturbation = monai.Compose(
        [monai.RandScaleIntensity(0.1, prob=1.0), monai.RandShiftIntensity(0.1, prob=1.0)]
    )
    blur: dict[str, Any] = {"sigma_x": (0.25, 1.5), "sigma_y": (0.25, 1.5)}
    sharpen: dict[str, Any] = {
        f"sigma{turn}_{axis}": (0.25, 1.5) for turn in (1, 2) for axis in "xy"
    }
    return monai.Compose(
        [
            monai.RandGaussianSharpen(**sharpen, alpha=(10.0, 30.0), prob=_CHANCE),
            monai.RandGaussianSmooth(**blur, prob=_CHANCE),
            monai.RandGaussianNoise(prob=_CHANCE, std=1.0),
            monai.RandShiftIntensity(0.1, prob=_CHANCE),
            monai.RandAdjustContrast(prob=_CHANCE, gamma=(0.5, 4.5)),
            monai.OneOf([perturbation, monai.Identity()], weights=[_CHANCE, 1 - _CHANCE]),
        ]
    )


@lru_cache(maxsize=1)
def _spatial() -> Any:
    from monai import transforms as monai

    common: dict[str, Any] = {"prob": _CHANCE, "mode": "bilinear", "padding_mode": "zeros"}
    zoom: dict[str, Any] = {"mode": "bilinear", "padding_mode": "constant", "align_corners": False}
    return monai.Compose(
        [
            monai.RandRotate(range_x=radians(20), **common),
            monai.RandZoom(prob=_CHANCE, min_zoom=0.4, max_zoom=1.6, **zoom),
            monai.Rand2DElastic(_ELASTIC_SPACING, _ELASTIC_VOXELS, **common),
        ]
    )


def _tensor(values: Any) -> Tensor:
    return values.as_tensor() if hasattr(values, "as_tensor") else values
