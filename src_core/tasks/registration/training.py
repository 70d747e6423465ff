"""Training of a registration network on pairs: Adam, a fixed number of steps.

Batch n follows from the seed and n alone.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from src_core.errors import InputError, OptionName, Phrase
from src_core.tasks.registration.losses import Loss
from src_core.tasks.registration.pair_batches import RealPairs, SyntheticPairs

if TYPE_CHECKING:
    from lightning_fabric import Fabric

__all__ = ["FitProgress", "fit"]


@dataclass(frozen=True)
class FitProgress:
    """Progress: steps done, of a total, mean loss since the last report, and ms per step."""

    done: int
    total: int
    loss: float
    ms: float


def fit(
    network: nn.Module,
    pairs: SyntheticPairs | RealPairs,
    loss_of: Loss,
    fabric: Fabric,
    *,
    steps: int,
    batch: int,
    rate: float,
    seed: int,
    every: int = 25,
) -> Iterator[FitProgress]:
    """Fit a network in place; yields after every ``every`` steps and at the end.

    Raises:
        InputError: the loss is no longer a number.
    """
    network.to(fabric.device).train()
    module, optimiser = fabric.setup(network, torch.optim.Adam(network.parameters(), rate))
    losses, begun = list[float](), time.perf_counter()
    for step in range(1, steps + 1):
        numbers = np.random.default_rng((seed, step)).integers(0, len(pairs), batch)
        given = pairs.batch(numbers.tolist()).to(fabric.device)
        loss = loss_of(module(torch.cat([given.moving, given.fixed], 1)), given)
        optimiser.zero_grad()
        fabric.backward(loss)
        optimiser.step()
        losses.append(float(loss.detach()))
        if not np.isfinite(losses[-1]):
            raise InputError(
                "the loss is no longer a number",
                where=f"step {step}",
                do=Phrase("take a lower ", OptionName("rate")),
            )
        if step % every == 0 or step == steps:
            seconds = time.perf_counter() - begun
            yield FitProgress(step, steps, float(np.mean(losses)), 1000 * seconds / len(losses))
            losses, begun = [], time.perf_counter()
    network.eval()
