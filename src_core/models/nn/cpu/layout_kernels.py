"""How images are laid out for a network, as compiled loops: rims, blocks and joined channels.

Images are (Z, H, W, C) float32, Z = 1 in 2D. A padded image has a rim of zeros: one pixel in the
plane, one plane at both ends of Z in 3D.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from src_core.fields.kernels.compiled import kernel

__all__ = ["fold", "join", "pad"]

Array = NDArray[np.float32]
_IMAGE = "float32[:,:,:,::1]"


@kernel(f"void({_IMAGE}, {_IMAGE})")
def pad(image: Array, padded: Array) -> None:
    """Copy an image into a padded one."""
    depth, height, width, channels = image.shape
    rim = (padded.shape[0] - depth) // 2
    for z in range(depth):
        for y in range(height):
            source, target = image[z, y].reshape(-1), padded[z + rim, y + 1].reshape(-1)
            for i in range(width * channels):
                target[channels + i] = source[i]


@kernel(f"void(float32[:,:,::1], {_IMAGE}, int64)")
def fold(image: Array, padded: Array, block: int) -> None:
    """Blocks of an image (Z, H, W) to channels, a half subtracted, into a padded image."""
    planes = padded.shape[0] > 1
    rim, layers = (1, block) if planes else (0, 1)
    for z in range(image.shape[0] // layers):
        for y in range(image.shape[1] // block):
            for x in range(image.shape[2] // block):
                target, c = padded[z + rim, y + 1, x + 1], 0
                for k in range(layers):
                    for j in range(block):
                        for i in range(block):
                            value = image[z * layers + k, y * block + j, x * block + i]
                            target[c] = value - np.float32(0.5)
                            c += 1


@kernel(f"void({_IMAGE}, {_IMAGE}, {_IMAGE})")
def join(fine: Array, coarse: Array, joined: Array) -> None:
    """The channels of a fine image, then those of a coarser one, each voxel repeated."""
    depth, height, width, channels = fine.shape
    ratio = depth // coarse.shape[0]
    for z in range(depth):
        for y in range(height):
            for x in range(width):
                target = joined[z, y, x]
                for c in range(channels):
                    target[c] = fine[z, y, x, c]
                for c in range(channels, joined.shape[3]):
                    target[c] = coarse[z // ratio, y // 2, x // 2, c - channels]
