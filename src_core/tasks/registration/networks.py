"""MONAI's VoxelMorph (Balakrishnan et al. 2019, doi:10.1109/TMI.2019.2897538).

Moving and fixed image, (B, 2, *size) -> displacement (B, D, *size), voxels:
``fixed(x) = moving(x + u(x))``. Without integration, as in the paper: it may fold.
"""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save
from torch import nn

from src_core.io import open_atomically

__all__ = ["load_weights", "make_network", "save_weights"]

_CHANNELS = (16, 32, 32, 32, 32, 32)
_FINAL = (16, 16)
_ALMOST_ZERO = 1e-5
_KEY = "drdm-registration"


def make_network(ndim: int, seed: int) -> nn.Module:
    """A network that starts with almost no displacement, as VoxelMorph does."""
    from monai.networks.nets.voxelmorph import VoxelMorphUNet

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = VoxelMorphUNet(ndim, 2, _CHANNELS[1], _CHANNELS, _FINAL)
        last = [m for m in network.modules() if isinstance(m, (nn.Conv2d, nn.Conv3d))][-1]
        nn.init.normal_(last.weight, std=_ALMOST_ZERO)
        nn.init.zeros_(last.bias)  # type: ignore[arg-type]
    return network


def save_weights(path: Path, network: nn.Module, digest: str) -> None:
    """One safetensors file, whole or not at all; the digest is of the run that it belongs to."""
    tensors = {k: v.detach().cpu().contiguous() for k, v in network.state_dict().items()}
    with open_atomically(path) as file:
        file.write(save(tensors, {_KEY: digest}))


def load_weights(path: Path, network: nn.Module, digest: str) -> bool:
    """Read them into a network of the same shape; False where there are none of that run."""
    if not path.is_file():
        return False
    with safe_open(path, framework="pt") as file:
        if (file.metadata() or {}).get(_KEY) != digest:
            return False
        network.load_state_dict({key: file.get_tensor(key) for key in file.keys()})  # noqa: SIM118
    return True
