"""The training loop (Algorithm 1), as a generator of progress that the caller displays and logs."""

from __future__ import annotations

import math
import os
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

import numpy as np
import torch
from torch import Tensor, nn

from src_core.errors import InputError
from src_core.models.prediction import build
from src_core.training.batches import Batch, draw_sample, make_batch
from src_core.training.config import Optimisation, Stage, TrainConfig
from src_core.training.data import Store
from src_core.training.hardware import Hardware, start_fabric
from src_core.training.muon import Muon
from src_core.training.objectives import Objective
from src_core.training.teacher import Teacher

if TYPE_CHECKING:
    from lightning_fabric import Fabric

__all__ = ["Lineage", "Trainer", "TrainingProgress"]


#: Steps in a row without finite gradients after which a training stops.
_MOST_SKIPPED = 20


@dataclass(frozen=True)
class Lineage:
    """The models that a model was trained from: one line each, '' for none."""

    start: str = ""
    teacher: str = ""


@dataclass(frozen=True)
class TrainingProgress:
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
    """Network, average, optimiser and position; ``run`` continues from where they stand.

    Args:
        store: the images.
        fabric: what it runs on; one CPU without.
        teacher: a model whose velocities are followed as well.
    """

    def __init__(
        self,
        config: TrainConfig,
        store: Store,
        fabric: Fabric | None = None,
        teacher: Teacher | None = None,
    ) -> None:
        self.config, self.store, self.teacher = config, store, teacher
        self.fabric = fabric or start_fabric(Hardware())
        self.ndim = store.images.dim() - 2
        share, rest = divmod(config.optimisation.batch, self.fabric.world_size)
        if rest:
            raise InputError(
                f"{self.fabric.world_size} devices cannot share a batch evenly",
                option="devices",
                do="choose a number of devices that divides optimisation.batch",
            )
        self._mine = range(self.fabric.global_rank * share, (self.fabric.global_rank + 1) * share)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed)
            self.network = build(config.network)
            self.average = build(config.network)
        self.average.load_state_dict(self.network.state_dict())
        self.average.to(self.fabric.device)
        self.network.to(self.fabric.device)
        self.optimiser = _optimiser(self.network, config.optimisation)
        self.objective = Objective(config, self.network)
        self._module, self._stepper = self.fabric.setup(self.objective, self.optimiser)
        self.lineage = Lineage(teacher=teacher.summary if teacher else "")
        self.samples = self.skipped = self._in_a_row = 0

    def run(self) -> Iterator[TrainingProgress]:
        """Train to the last sample; yields after every ``log_every`` steps and at the end."""
        settings, started, terms = self.config.optimisation, time.perf_counter(), []
        first = self.samples
        with ThreadPoolExecutor(makers := self._makers()) as pool:
            ahead = deque(
                pool.submit(self._batch, first + i * settings.batch) for i in range(makers)
            )
            while self.samples < settings.samples:
                batch = ahead.popleft().result()
                ahead.append(pool.submit(self._batch, self.samples + makers * settings.batch))
                terms.append(self._step(batch))
                self.samples += settings.batch
                if len(terms) == settings.log_every or self.samples >= settings.samples:
                    yield self._progress(terms, first, time.perf_counter() - started)
                    terms = []
            for waiting in ahead:
                waiting.cancel()

    def _makers(self) -> int:
        """Batches made ahead, each in a thread: a GPU waits for nothing but the drawing."""
        return 1 if self.fabric.device.type == "cpu" else min(8, os.cpu_count() or 1)

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
            for i in self._mine
        ]
        batch = make_batch(self.config, self.store, draws, self.fabric.device)
        if self.teacher is None:
            return batch
        return replace(batch, teacher=self.teacher(batch.images, batch.levels))

    def _step(self, batch: Batch) -> list[float]:
        for group in self.optimiser.param_groups:
            group["lr"] = group["initial_lr"] * self._factor(self.samples)
        output, organs = self._module(batch.images, batch.levels, batch.condition)
        loss, terms = self.objective.loss(output.float(), batch.targets, batch.teacher)
        if organs is not None and batch.organs is not None:
            loss = loss + self.objective.organ_loss(organs.float(), batch.organs)
        self.optimiser.zero_grad(set_to_none=True)
        self.fabric.backward(loss)
        norm = nn.utils.clip_grad_norm_(self.network.parameters(), self.config.optimisation.clip)
        if torch.isfinite(norm):
            self._stepper.step()
            self._in_a_row = 0
        else:
            self._skip()
        self._follow()
        shown = torch.stack([loss.detach(), *terms])
        return [float(value) for value in cast(Tensor, self.fabric.all_reduce(shown))]

    def _skip(self) -> None:
        self.skipped += 1
        self._in_a_row += 1
        if self._in_a_row == _MOST_SKIPPED:
            raise InputError(
                f"gradients were not finite in {_MOST_SKIPPED} steps in a row",
                where=f"after {self.samples} samples",
                do="lower optimisation.learning_rate, and start again in another folder",
            )

    @torch.no_grad()
    def _follow(self) -> None:
        done = self.samples / self.config.optimisation.batch
        keep = min(self.config.optimisation.ema, (1 + done) / (10 + done))
        for slow, fast in zip(self.average.parameters(), self.network.parameters(), strict=True):
            slow.lerp_(fast, 1 - keep)

    def _progress(self, terms: list[list[float]], first: int, seconds: float) -> TrainingProgress:
        loss, distance, angle, gradient = np.mean(terms, axis=0)
        return TrainingProgress(
            samples=self.samples,
            total=self.config.optimisation.samples,
            seen=self.samples - first,
            loss=float(loss),
            distance=float(distance),
            angle=float(angle),
            gradient=float(gradient),
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
