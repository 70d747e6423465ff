"""The training loop (Algorithm 1), as a generator of progress that the caller shows and logs."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from src_core import losses
from src_core.diffusion import velocity_unit
from src_core.nn import build
from src_core.noise import draw, generator, multiscale_velocity
from src_core.training.batches import Batch, draw_sample, make_batch
from src_core.training.config import Optimisation, Stage, TrainConfig
from src_core.training.data import Store
from src_core.training.muon import Muon

__all__ = ["Progress", "Trainer"]


@dataclass(frozen=True)
class Progress:
    """Samples in all and seen by this process, means since the last report, and seconds."""

    samples: int
    total: int
    seen: int
    loss: float
    distance: float
    angle: float
    gradient: float
    learning_rate: float
    skipped: int
    seconds: float


class Trainer:
    """Network, average, optimiser and position; ``run`` goes on from wherever they stand."""

    def __init__(self, config: TrainConfig, store: Store) -> None:
        self.config = config
        self.store = store
        self.ndim = store.images.dim() - 2
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed)
            self.network = build(config.network)
            self.average = build(config.network)
        self.average.load_state_dict(self.network.state_dict())
        self.optimiser = _optimiser(self.network, config.optimisation)
        self.samples = 0
        self.skipped = 0
        self._energy, self._slope = _reference(config, self.ndim)

    def run(self) -> Iterator[Progress]:
        """Train to the last sample; yields after every ``log_every`` steps and at the end."""
        settings, started, terms = self.config.optimisation, time.perf_counter(), []
        first = self.samples
        with ThreadPoolExecutor(1) as pool:
            ahead = pool.submit(self._batch, self.samples)
            while self.samples < settings.samples:
                batch = ahead.result()
                ahead = pool.submit(self._batch, self.samples + settings.batch)
                terms.append(self._step(batch))
                self.samples += settings.batch
                if len(terms) == settings.log_every or self.samples >= settings.samples:
                    yield self._progress(terms, first, time.perf_counter() - started)
                    terms = []

    def stage(self, samples: int) -> Stage:
        """The curriculum's stage at a position."""
        share = samples / self.config.optimisation.samples
        stages = self.config.curriculum
        return next((s for s in stages if share < s.until), stages[-1])

    def learning_rate(self, samples: int) -> float:
        """Warm-up, then half a cosine down to 2 % of the full rate."""
        return self.config.optimisation.learning_rate * self._factor(samples)

    def _factor(self, samples: int) -> float:
        settings = self.config.optimisation
        warm = min(1.0, (samples + settings.batch) / max(settings.warmup, 1))
        cosine = 0.5 * (1 + math.cos(math.pi * min(samples / settings.samples, 1.0)))
        return warm * (0.02 + 0.98 * cosine)

    def _batch(self, first: int) -> Batch:
        stage = self.stage(first)
        draws = [
            draw_sample(self.config, stage, self.store.shares, first + i, self.ndim)
            for i in range(self.config.optimisation.batch)
        ]
        return make_batch(self.config, self.store.images, draws)

    def _step(self, batch: Batch) -> list[float]:
        for group in self.optimiser.param_groups:
            group["lr"] = group["initial_lr"] * self._factor(self.samples)
        velocity = self.network(batch.images, batch.levels)
        loss, terms = self._loss(velocity, batch)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        norm = nn.utils.clip_grad_norm_(self.network.parameters(), self.config.optimisation.clip)
        if torch.isfinite(norm):
            self.optimiser.step()
        else:
            self.skipped += 1
        self._follow()
        return [float(loss.detach()), *(float(t) for t in terms)]

    def _loss(self, velocity: Tensor, batch: Batch) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Eq. 14 for a velocity: the flows commute, so the error is a plain difference."""
        weights, error, target = self.config.weights, velocity - batch.targets, batch.targets
        floor = weights.floor**2
        energy = target.square().flatten(1).mean(1)
        distance = error.square().flatten(1).mean(1) / (energy + floor * self._energy)
        slope = losses.gradient(error) / (losses.gradient(target) + floor * self._slope)
        turn = losses.angle(velocity, target, floor=0.1 * self._energy**0.5)
        turn = turn * (energy > floor * self._energy)
        tail = weights.tail
        total = weights.distance * losses.tempered(distance, tail) + weights.angle * turn
        total = total + weights.gradient * losses.tempered(slope, tail)
        if weights.smoothness:
            total = total + weights.smoothness * losses.smoothness(velocity)
        if weights.folding:
            u = velocity * velocity_unit(self.config.schedule)
            total = total + weights.folding * losses.folding(u, margin=0.1)
        return total.mean(), tuple(
            _pooled(t, energy) for t in (distance.detach(), turn.detach(), slope.detach())
        )

    @torch.no_grad()
    def _follow(self) -> None:
        done = self.samples / self.config.optimisation.batch
        keep = min(self.config.optimisation.ema, (1 + done) / (10 + done))
        for slow, fast in zip(self.average.parameters(), self.network.parameters(), strict=True):
            slow.lerp_(fast, 1 - keep)

    def _progress(self, terms: list[list[float]], first: int, seconds: float) -> Progress:
        loss, distance, turn, slope = np.mean(terms, axis=0)
        return Progress(
            samples=self.samples,
            total=self.config.optimisation.samples,
            seen=self.samples - first,
            loss=float(loss),
            distance=float(distance),
            angle=float(turn),
            gradient=float(slope),
            learning_rate=self.learning_rate(self.samples),
            skipped=self.skipped,
            seconds=seconds,
        )


def _optimiser(network: nn.Module, settings: Optimisation) -> torch.optim.Optimizer:
    """Groups carry ``initial_lr``, which the schedule multiplies."""
    if settings.optimiser == "muon":
        optimiser: torch.optim.Optimizer = Muon(
            network.parameters(), settings.learning_rate, settings.adam_rate, betas=settings.betas
        )
    else:
        optimiser = torch.optim.Adam(
            network.parameters(), settings.learning_rate, betas=settings.betas
        )
    for group in optimiser.param_groups:
        group.setdefault("initial_lr", group["lr"])
    return optimiser


def _pooled(terms: Tensor, energy: Tensor) -> Tensor:
    """Mean over the samples, weighed by their energy: undeformed ones have no relative error."""
    return (terms * energy).sum() / energy.sum().clamp_min(1e-12)


def _reference(config: TrainConfig, ndim: int) -> tuple[float, float]:
    """Mean square of a target and of its differences: what makes the losses relative."""
    source = generator(0)
    count = 64 if ndim == 2 else 4
    fields = [
        multiscale_velocity(draw(config.schedule, ndim, source), config.schedule)
        for _ in range(count)
    ]
    targets = torch.cat(fields) / velocity_unit(config.schedule)
    return float(targets.square().mean()), float(losses.gradient(targets).mean())
