"""How images are laid out for a network, as compiled loops: blocks and joined channels.

Images are those of ``kernels``, with a rim of zeros.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from src_core.fields.kernels.compiled import kernel

__all__ = ["fold", "join"]

Array = NDArray[np.float32]
_IMAGE = "float32[:,:,:,::1]"


@kernel(f"void(float32[:,:,::1], {_IMAGE}, int64, int64)")
def fold(image: Array, output: Array, rim: int, block: int) -> None:
    """Blocks of images (Z, H, W) without a rim to channels, a half subtracted."""
    layers = block if rim else 1
    for z in range(image.shape[0] // layers):
        for y in range(image.shape[1] // block):
            for x in range(image.shape[2] // block):
                c = 0
                for k in range(layers):
                    for j in range(block):
                        for i in range(block):
                            value = image[z * layers + k, y * block + j, x * block + i]
                            output[z + rim, y + 1, x + 1, c] = value - np.float32(0.5)
                            c += 1


@kernel(f"void({_IMAGE}, {_IMAGE}, {_IMAGE}, int64)")
def join(fine: Array, coarse: Array, joined: Array, rim: int) -> None:
    """The channels of a fine image, then those of a coarser one, each voxel repeated."""
    height, width, channels = fine.shape[1] - 2, fine.shape[2] - 2, fine.shape[3]
    ratio = 2 if rim else 1
    for z in range(rim, len(fine) - rim):
        plane = (z - rim) // ratio + rim
        for y in range(height):
            for x in range(width):
                for c in range(channels):
                    joined[z, y + 1, x + 1, c] = fine[z, y + 1, x + 1, c]
                for c in range(coarse.shape[3]):
                    joined[z, y + 1, x + 1, channels + c] = coarse[plane, y // 2 + 1, x // 2 + 1, c]
