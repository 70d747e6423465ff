"""A segmenter trained on real cases, whose agreement with the warped labels is measured.

MONAI's residual UNet on slices of 128^2 (or the model's side, if that is less), Dice and
cross-entropy, a fixed number of batches and one seed, so that the same data give the same weights.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn
from torch.nn import functional

from src_core.errors import InputError, OptionName, Phrase
from src_core.fields.sampling import identity, sample
from src_core.io import open_atomically

__all__ = ["Segmenter", "load_segmenter", "pool_factor", "save_segmenter", "train_segmenter"]

SIDE = 128
_CHANNELS = (16, 32, 64, 96, 128)
_BATCH = 16
_RATE = 2e-3
_KEY = "drdm-segmenter"
_WITHOUT = Phrase("leave out ", OptionName("segmenter"), ", then one is trained")
#: A label of fewer voxels than this is left out.
_LEAST = 10


@dataclass(frozen=True, eq=False)
class Segmenter:
    """A trained network.

    Attributes:
        labels: values of the classes, background left out.
        factor: voxels of the model's grid along one side of a voxel of its own.
    """

    network: nn.Module
    labels: tuple[int, ...]
    factor: int

    def agreement(self, image: Tensor, labels: NDArray[np.integer]) -> float:
        """Mean Dice of its segmentation and the given labels, over the labels present.

        Args:
            image: (1, 1, *size) in 0..1.
            labels: (*size), values.
        """
        masks = torch.stack([torch.from_numpy(labels == v) for v in self.labels])[None].float()
        predicted = self._predicted(_slices(_pooled(image, self.factor)))
        given = _classes(_slices(_pooled(masks, self.factor)))
        found = [
            2
            * float(((predicted == k) & (given == k)).sum())
            / float((predicted == k).sum() + (given == k).sum())
            for k in range(1, len(self.labels) + 1)
            if (given == k).sum() >= _LEAST
        ]
        return float(np.mean(found)) if found else float("nan")

    def _predicted(self, slices: Tensor) -> Tensor:
        with torch.inference_mode():
            return torch.cat([self.network(part).argmax(1) for part in slices.split(_BATCH)])


def pool_factor(size: int) -> int:
    """Voxels of a model's grid along one side of a voxel of the segmenter's."""
    return max(1, size // SIDE)


def train_segmenter(
    images: Tensor, classes: Tensor, labels: tuple[int, ...], factor: int, batches: int
) -> Iterator[tuple[int, Segmenter]]:
    """Train on slices; yields the number of finished batches, and the segmenter.

    Args:
        images: (N, 1, n, n) uint8, 0..255.
        classes: (N, 1, n, n) uint8, index into background and labels.

    Raises:
        InputError: MONAI is not installed.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = _network(len(labels) + 1)
    network = network.to(memory_format=torch.channels_last).train()  # type: ignore[call-overload]
    loss_of = _loss()
    optimiser = torch.optim.Adam(network.parameters(), _RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, batches)
    rng = np.random.default_rng(0)
    for done in range(1, batches + 1):
        chosen = torch.from_numpy(rng.integers(0, len(images), min(_BATCH, len(images))))
        image, target = _augmented(images[chosen], classes[chosen], rng)
        with torch.enable_grad():
            loss = loss_of(network(image.contiguous(memory_format=torch.channels_last)), target)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        yield done, Segmenter(network, labels, factor)
    network.eval().requires_grad_(False)


def save_segmenter(path: Path, segmenter: Segmenter, facts: dict[str, Any]) -> None:
    """One safetensors file, whole or not at all; ``facts`` describe its training."""
    head = {"labels": segmenter.labels, "factor": segmenter.factor, **facts}
    tensors = {k: v.contiguous() for k, v in segmenter.network.state_dict().items()}
    with open_atomically(path) as file:
        file.write(save(tensors, metadata={_KEY: json.dumps(head)}))


def load_segmenter(path: Path, labels: tuple[int, ...], factor: int) -> Segmenter:
    """A segmenter from its file.

    Raises:
        InputError: no such file, not a segmenter, or one of other labels or another size.
    """
    if not path.is_file():
        raise InputError("no such segmenter", where=str(path), do=_WITHOUT)
    try:
        with safe_open(path, framework="pt") as file:
            head = json.loads((file.metadata() or {})[_KEY])
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        raise InputError(
            "not a segmenter", where=str(path), expected="segmenter.safetensors of an evaluation"
        ) from error
    if tuple(head["labels"]) != labels or head["factor"] != factor:
        raise InputError(
            f"the segmenter has labels {head['labels']} at 1/{head['factor']} of the side",
            where=str(path),
            expected=f"labels {list(labels)} at 1/{factor}",
            do=_WITHOUT,
        )
    network = _network(len(labels) + 1)
    network.load_state_dict(tensors)
    return Segmenter(network.eval().requires_grad_(False), labels, factor)


def _network(classes: int) -> nn.Module:
    try:
        from monai.networks.nets.unet import UNet
    except ImportError as error:
        raise InputError(
            "MONAI is not installed", do='pip install "napari-drdm[evaluate]"'
        ) from error
    return UNet(
        2, 1, classes, _CHANNELS, (2,) * (len(_CHANNELS) - 1), num_res_units=1, norm="batch"
    )


def _loss() -> nn.Module:
    from monai.losses.dice import DiceCELoss

    return DiceCELoss(include_background=False, to_onehot_y=True, softmax=True, batch=True)


def _augmented(images: Tensor, classes: Tensor, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Rotation, scale, shift and contrast at random, one image resampled once."""
    count, side = len(images), images.shape[-1]
    angle = np.where(rng.random(count) < 0.3, np.pi, 0.3) * rng.uniform(-1, 1, count)
    scale = rng.uniform(0.7, 1.05, (count, 1)) * rng.uniform(0.92, 1.08, (count, 2))
    turn = np.stack([np.cos(angle), -np.sin(angle), np.sin(angle), np.cos(angle)], 1)
    matrix = torch.from_numpy(turn.reshape(-1, 2, 2) * scale[:, None]).float()
    shift = torch.from_numpy(rng.uniform(-0.1, 0.1, (count, 2)) * side).float()
    centre = (side - 1) / 2
    offsets = identity((side, side), matrix)[0] - centre
    at = torch.einsum("bij,jxy->bixy", matrix, offsets) + shift[:, :, None, None] + centre
    gain = torch.from_numpy(rng.normal(1, 0.1, (count, 1, 1, 1))).float()
    offset = torch.from_numpy(rng.normal(0, 0.05, (count, 1, 1, 1))).float()
    image = sample(images.float() / 255, at, padding="zeros") * gain + offset
    return image.clamp(0, 1), sample(classes.float(), at, "nearest", "zeros")


def _pooled(values: Tensor, factor: int) -> Tensor:
    pool = functional.avg_pool2d if values.dim() == 4 else functional.avg_pool3d
    return pool(values, factor) if factor > 1 else values


def _slices(values: Tensor) -> Tensor:
    """(1, C, n, n) as it is; (1, C, n, n, n) cut along its last axis: (n, C, n, n)."""
    return values if values.dim() == 4 else values[0].permute(3, 0, 1, 2)


def _classes(masks: Tensor) -> Tensor:
    """Shares (N, K, n, n) -> index of the largest, background 0: (N, n, n)."""
    return torch.cat([1 - masks.sum(1, keepdim=True), masks], 1).argmax(1)
