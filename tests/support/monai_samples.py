"""Samples and transforms for tests of ``RandDRDM`` among MONAI's transforms."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from monai.data import (
    MetaTensor,
)

from src_core.transforms import RandDRDMd
from tests.support import tiny
from tests.support.loops import SHAPE, ball

__all__ = ["KEYS", "middle", "randomly", "sample"]


KEYS = ("image", "label")


def sample(shape: tuple[int, ...] = SHAPE, affine: Any = tiny.OBLIQUE) -> dict[str, Any]:
    image = torch.from_numpy(ball(shape))[None]
    label = (image > 50).to(torch.uint8)
    return {
        "image": MetaTensor(image, affine=torch.from_numpy(np.array(affine))),
        "label": MetaTensor(label, affine=torch.from_numpy(np.array(affine))),
        "age": 61,
    }


def randomly(source: Any, seed: int = 1, **options: Any) -> RandDRDMd:
    given = {"mode": ("bilinear", "label"), "prob": 1.0, **options}
    return RandDRDMd(KEYS, source, **given).set_random_state(seed)


def middle(values: torch.Tensor) -> torch.Tensor:
    return values[:, 8:-8, 10:-10].float()
