"""Organs in training samples: natural variation, which is never asked back, and their maps.

Natural variation changes each organ's size, and turns and shifts all of them, as people differ.
It comes between image and pose, so that the random field deforms anatomies of every size.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from src_core.diffusion.organs import organ_modes
from src_core.fields import exponential
from src_core.fields.sampling import sample
from src_core.training.config import Natural

__all__ = ["OrganStore", "draw_natural", "organ_maps", "organ_side", "varied"]

#: Deviations at which natural variation is cut off.
_MOST = 2.0
_SQUARINGS = 5


class OrganStore:
    """Maps of organs for every training image, and the modes that vary them.

    Args:
        maps: (N, K, *n) uint8, 255 = all of a voxel; all 0 where an image has no labels.
    """

    def __init__(self, maps: Tensor) -> None:
        self.maps = maps
        self.labelled = maps.flatten(1).amax(1) > 0
        self._modes: dict[int, Tensor] = {}
        self._all: Tensor | None = None

    def modes(self, image: int) -> Tensor:
        """The modes of one image: (M, D, *n), float16, voxels; 0 without labels."""
        if image not in self._modes:
            found = organ_modes(self.maps[image].float() / 255)
            ndim, organs = self.maps.dim() - 2, self.maps.shape[1]
            count = organs + ndim * (ndim - 1) // 2 + ndim
            none = torch.zeros(count, ndim, *self.maps.shape[2:])
            self._modes[image] = (none if found is None else found.fields).half()
        return self._modes[image]

    def all_modes(self, device: torch.device) -> Tensor:
        """The modes of all images on a device: (N, M, D, *n), float16."""
        if self._all is None:
            self._all = torch.stack([self.modes(i) for i in range(len(self.maps))]).to(device)
        return self._all


def organ_side(control: int) -> int:
    """Voxels per side of maps of organs: twice those of the velocity over the image."""
    return control


def draw_natural(settings: Natural, rng: np.random.Generator, organs: int, ndim: int) -> np.ndarray:
    """Rates of the modes, (M,): logarithms of sizes, radians, shares of the side; 0 for some.

    They move where the image is sampled, so that a positive logarithm makes an organ smaller.
    """
    varies = rng.random() < settings.share
    common = rng.normal(0, settings.common)
    sizes = common + rng.normal(0, settings.size, organs)
    turns = rng.normal(0, settings.turn, ndim * (ndim - 1) // 2)
    shifts = rng.normal(0, settings.shift, ndim)
    most = np.repeat(
        [np.hypot(settings.common, settings.size), settings.turn, settings.shift],
        [organs, len(turns), ndim],
    )
    rates = np.concatenate([sizes, turns, shifts]).clip(-_MOST * most, _MOST * most)
    return rates * varies


def varied(
    positions: Tensor, store: OrganStore, images: Sequence[int], rates: Sequence[np.ndarray]
) -> Tensor:
    """Positions in images whose organs are changed.

    Args:
        positions: (B, D, *any), voxels of the stored images of ``side`` voxels (the last axis).
        images: which ones, one per item.
        rates: of their modes, as ``draw_natural`` gives them.

    Returns:
        (B, D, *any): where the changed image is sampled in the stored one.
    """
    ndim, side = store.maps.dim() - 2, store.maps.shape[-1]
    scaled = torch.from_numpy(np.stack(rates)).float()
    scaled[:, -ndim:] *= side
    if positions.is_cuda:
        modes = store.all_modes(positions.device)[list(images)]
    else:
        modes = torch.stack([store.modes(i) for i in images])
    velocity = torch.einsum("bm,bm...->b...", scaled.to(positions), modes.to(positions))
    u, factor = exponential(velocity, _SQUARINGS), positions.shape[-1] // side
    return positions + sample(u, (positions + 0.5) / factor - 0.5) * factor


def organ_maps(store: OrganStore, images: Sequence[int], positions: Tensor) -> Tensor:
    """Maps of the deformed and posed images: (B, K, *n), 0 to 1; -1 where there are no labels."""
    factor = positions.shape[-1] // store.maps.shape[-1]
    pool = {2: functional.avg_pool2d, 3: functional.avg_pool3d}[positions.shape[1]]
    at = (pool(positions, factor) + 0.5) / factor - 0.5
    maps = store.maps[list(images)].to(positions.device).float() / 255
    known = store.labelled[list(images)].to(positions.device).view(-1, *[1] * (maps.dim() - 1))
    return torch.where(known, sample(maps, at, padding="zeros"), -1.0)
