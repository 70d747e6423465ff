"""Tests of a network: counts of labels for cases, and the mean Dice of validation cases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan

import torch
from torch import Tensor, nn

from src_core.experiments.statistics import finite_mean
from src_core.tasks.segmentation.crop import CropGrid
from src_core.tasks.segmentation.measures import LabelCount, count_labels, figures_of
from src_core.tasks.segmentation.network import predict
from src_core.tasks.segmentation.slice_stacks import SliceStack

__all__ = ["TestedCase", "counts_of", "make_tested_case", "mean_dice"]


@dataclass(frozen=True, eq=False)
class TestedCase:
    """A case to test on.

    Attributes:
        stack: its slices; ``images`` what the network sees of them, (Z, 1, n, n), on the device.
        truth: classes (Z, n, n), uint8.
        beyond: voxels of each label on the canvas but outside the crop.
    """

    stack: SliceStack
    images: Tensor
    truth: Tensor
    beyond: tuple[int, ...]


def make_tested_case(
    stack: SliceStack, crop: CropGrid, labels: int, device: torch.device
) -> TestedCase:
    """A case ready for the network."""
    inner = (slice(None), crop.inner, crop.inner)
    images = stack.network_input(crop)[:, 0][inner][:, None]
    truth = stack.classes[inner].contiguous()
    counts = [
        torch.bincount(c.flatten().int(), minlength=labels + 1) for c in (stack.classes, truth)
    ]
    beyond = tuple((counts[0] - counts[1])[1:].tolist())
    return TestedCase(stack, images.to(device), truth, beyond)


def counts_of(network: nn.Module, case: TestedCase, labels: int) -> list[LabelCount]:
    """Counts of each label of a case."""
    predicted = predict(network, case.images).cpu().numpy()
    return count_labels(predicted, case.truth.numpy(), labels, case.stack.spacing, case.beyond)


def mean_dice(network: nn.Module, cases: Sequence[TestedCase], labels: int) -> float:
    """Mean Dice over labels, then cases; NaN without cases."""
    if not cases:
        return nan
    predicted = predict(network, torch.cat([case.images for case in cases]))
    truth = torch.cat([case.truth for case in cases]).to(predicted.device)
    pairs = [(predicted == k, truth == k) for k in range(1, labels + 1)]
    masks = [torch.stack([seen & true, seen, true]) for seen, true in pairs]
    of_slices = torch.stack(masks).sum((-1, -2)).cpu().split([len(c.images) for c in cases], -1)
    found = []
    for case, numbers in zip(cases, of_slices, strict=True):
        sums = numbers.sum(-1).tolist()
        counts = [
            LabelCount(both, seen, true + beyond, 0.0)
            for (both, seen, true), beyond in zip(sums, case.beyond, strict=True)
        ]
        found.append(figures_of(counts, range(1, labels + 1))["dsc"])
    return finite_mean(found)
