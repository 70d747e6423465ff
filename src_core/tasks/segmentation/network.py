"""One U-Net for all methods: MONAI's, trained for a number of steps on the same slices.

Sigmoids and binary cross-entropy, Adam at 1e-3 with an exponential schedule (paper 4.2), here down
to a tenth; or that and the Dice loss. Every pixel starts as background (a bias of -4), which a
short training would otherwise spend most of its steps on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor, nn

from src_core.tasks.segmentation.options import Loss
from src_core.tasks.segmentation.training_slices import TrainingSlices
from src_core.training.hardware import Hardware, start_fabric

__all__ = ["predict", "train"]

_WIDTHS = (16, 32, 64, 96, 128)
_LAST_RATE, _BIAS = 0.1, -4.0
_BATCH = 32


def train(
    slices: TrainingSlices,
    labels: int,
    *,
    times: int,
    steps: int,
    batch: int,
    seed: int,
    loss: Loss,
    rate: float,
    device: str,
) -> Iterator[tuple[int, float, nn.Module]]:
    """Train; yields the number of finished steps, the loss and the network.

    Weights and the drawn slices follow from the seed, and are the same for every method.
    """
    fabric = start_fabric(Hardware(device))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = _network(labels)
    _start_as_background(network)
    network = network.to(memory_format=torch.channels_last).train()  # type: ignore[call-overload]
    optimiser = torch.optim.Adam(network.parameters(), rate)
    schedule = torch.optim.lr_scheduler.ExponentialLR(optimiser, _LAST_RATE ** (1 / steps))
    ready, stepped = fabric.setup(network, optimiser)
    loss_of, rng = _loss(loss), np.random.default_rng(seed)
    for done in range(1, steps + 1):
        indices, variants = (rng.integers(n, size=batch) for n in (len(slices), times + 1))
        chosen = [(int(i), int(v)) for i, v in zip(indices, variants, strict=True)]
        image, target = (fabric.to_device(t) for t in slices.batch(chosen))
        with torch.enable_grad():
            value = loss_of(ready(image.contiguous(memory_format=torch.channels_last)), target)
            stepped.zero_grad()
            fabric.backward(value)
        stepped.step()
        schedule.step()
        yield done, float(value.detach()), network
    network.eval().requires_grad_(False)


@torch.inference_mode()
def predict(network: nn.Module, images: Tensor) -> Tensor:
    """Slices (Z, 1, n, n) -> classes (Z, n, n): the likeliest label where it is above one half."""
    device = next(network.parameters()).device
    parts = [network(part.to(device)).cpu() for part in images.split(_BATCH)]
    scores = torch.cat(parts)
    return torch.cat([torch.zeros_like(scores[:, :1]), scores], 1).argmax(1)


def _network(labels: int) -> nn.Module:
    from monai.networks.nets.unet import UNet

    strides = (2,) * (len(_WIDTHS) - 1)
    return UNet(2, 1, labels, _WIDTHS, strides, num_res_units=1, norm="instance")


def _start_as_background(network: nn.Module) -> None:
    last = [m for m in network.modules() if isinstance(m, nn.Conv2d | nn.ConvTranspose2d)][-1]
    assert last.bias is not None
    nn.init.constant_(last.bias, _BIAS)


def _loss(name: Loss) -> Callable[[Tensor, Tensor], Tensor]:
    entropy = nn.BCEWithLogitsLoss()
    if name == "bce":
        return entropy
    from monai.losses.dice import DiceLoss

    overlap = DiceLoss(sigmoid=True, batch=True)
    return lambda scores, target: entropy(scores, target) + overlap(scores, target)
