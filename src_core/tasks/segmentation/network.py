"""One U-Net for all methods, trained for the same steps from the same weights.

Cross-entropy and Dice, AdamW with a warm-up and a rate that falls as (1 - share of steps)^0.9.
Pixels enter as blocks of 2 x 2 (space to depth), so that a step is cheap: .36 million weights.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["SliceUNet", "make_network", "predict", "segmentation_loss"]

_WIDTHS = (16, 32, 64, 96)
_SLOPE = 0.01
_BATCH = 64


class _Block(nn.Module):
    """Two convolutions with instance normalisation."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
        self.second = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.norms = nn.ModuleList(nn.InstanceNorm2d(outputs, affine=True) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, n, n) -> (B, outputs, n, n)."""
        for layer, norm in zip((self.first, self.second), self.norms, strict=True):
            x = functional.leaky_relu(norm(layer(x)), _SLOPE)
        return x


class SliceUNet(nn.Module):
    """Images (B, 1, n, n), n a multiple of 16 -> scores of the classes (B, K, n, n)."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        inputs = (4, *_WIDTHS[:-1])
        self.down = nn.ModuleList(_Block(i, o) for i, o in zip(inputs, _WIDTHS, strict=True))
        pairs = list(zip(_WIDTHS[1:], _WIDTHS[:-1], strict=True))
        self.up = nn.ModuleList(_Block(low + high, high) for low, high in reversed(pairs))
        self.last = nn.Conv2d(_WIDTHS[0], 4 * classes, 3, padding=1)

    def forward(self, images: Tensor) -> Tensor:
        """See the class."""
        x, levels = functional.pixel_unshuffle(images, 2), list[Tensor]()
        for index, block in enumerate(self.down):
            x = block(functional.max_pool2d(x, 2) if index else x)
            levels.append(x)
        for block, level in zip(self.up, levels[-2::-1], strict=True):
            enlarged = functional.interpolate(x, scale_factor=2, mode="nearest")
            x = block(torch.cat([level, enlarged], 1))
        return functional.pixel_shuffle(self.last(x), 2)


def make_network(labels: int, seed: int, device: torch.device) -> SliceUNet:
    """A network whose weights follow from the seed alone, whatever the device."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = SliceUNet(labels + 1)
    return network.to(device)


def segmentation_loss(scores: Tensor, classes: Tensor) -> Tensor:
    """Cross-entropy, and 1 - Dice of the labels over the whole batch, smoothed by one pixel.

    Args:
        scores: (B, K, n, n), background first.
        classes: (B, n, n), int64.
    """
    logs = scores.float().log_softmax(1)
    numbers = torch.arange(scores.shape[1], device=classes.device)[:, None, None]
    truth = (classes[:, None] == numbers).to(logs.dtype)
    entropy = -(logs * truth).sum(1).mean()
    found, truth = logs.exp()[:, 1:], truth[:, 1:]
    both, size = (found * truth).sum((0, 2, 3)), (found + truth).sum((0, 2, 3))
    return entropy + 1 - ((2 * both + 1) / (size + 1)).mean()


@torch.inference_mode()
def predict(network: nn.Module, images: Tensor) -> Tensor:
    """Slices (Z, 1, n, n) on the network's device -> classes (Z, n, n), uint8, there too."""
    found = []
    for part in images.split(_BATCH):
        with torch.autocast(part.device.type, torch.bfloat16):
            scores = network(part)
        found.append(scores.float().argmax(1).byte())
    return torch.cat(found)
