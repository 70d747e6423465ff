"""Training of a registration network on pairs: Adam, a fixed number of steps.

Batch n follows from the seed and n alone, so a training that continues from a stored state ends as
one that never stopped.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from src_core.errors import InputError, OptionName, Phrase
from src_core.tasks.registration.losses import Loss
from src_core.tasks.registration.pair_sets import PairSet

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
    pairs: PairSet,
    loss_of: Loss,
    fabric: Fabric,
    *,
    steps: int,
    batch: int,
    rate: float,
    seed: int,
    every: int = 25,
    begun: int = 0,
    optimiser: torch.optim.Adam | None = None,
) -> Iterator[FitProgress]:
    """Fit a network in place; yields after every ``every`` steps and at the end.

    Args:
        begun: steps that the network has been trained for already.
        optimiser: of the network, with its moments after these steps; None for a new one.

    Raises:
        InputError: the loss is no longer a number.
    """
    network.to(fabric.device).train()
    optimiser = optimiser or torch.optim.Adam(network.parameters(), rate)
    module, stepper = fabric.setup(network, optimiser)
    losses, since = list[Tensor](), time.perf_counter()
    for step in range(begun + 1, steps + 1):
        source = np.random.default_rng((seed, step))
        given = pairs.draw(source, batch).to(fabric.device)
        loss = loss_of(module(torch.cat([given.moving, given.fixed], 1)), given)
        stepper.zero_grad()
        fabric.backward(loss)
        stepper.step()
        losses.append(loss.detach())
        if fabric.device.type == "cpu":
            _check(losses[-1:], step)  # images sampled at positions that are NaN crash on a CPU
        if step % every == 0 or step == steps:
            mean = _check(losses, step)  # waits for the device
            ms = 1000 * (time.perf_counter() - since) / len(losses)
            network.eval()
            yield FitProgress(step, steps, mean, ms)
            network.train()
            losses, since = [], time.perf_counter()
    network.eval()


def _check(losses: list[Tensor], last: int) -> float:
    """The mean of the losses of the steps up to the last, all of which must be numbers."""
    values = torch.stack(losses).double().cpu().numpy()
    if not np.isfinite(values).all():
        first = last - len(values) + 1 + int(np.argmin(np.isfinite(values)))
        raise InputError(
            "the loss is no longer a number",
            where=f"step {first}",
            do=Phrase("take a lower ", OptionName("rate")),
        )
    return float(values.mean())
