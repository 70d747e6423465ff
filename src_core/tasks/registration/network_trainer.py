"""Trains the network of a method and a repeat: its stages, their stored states, and its curve."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import torch
from torch import nn

from src_core.experiments.records import StageProgress
from src_core.io.folder import make_folder
from src_core.tasks.registration.curves import TrainingCurve
from src_core.tasks.registration.losses import Loss, mixed, supervised, unsupervised
from src_core.tasks.registration.networks import load_weights, save_weights
from src_core.tasks.registration.options import RegistrationRequest
from src_core.tasks.registration.pair_sets import MixedPairs, PairSet, SinglePairs
from src_core.tasks.registration.states import load_state, save_state
from src_core.tasks.registration.synthetic_pairs import Kind
from src_core.tasks.registration.training import FitProgress, fit
from src_core.tasks.registration.training_pairs import TrainingPairs
from src_core.tasks.registration.validation import ValidationPairs
from src_core.training.hardware import Hardware, start_fabric

__all__ = ["NetworkTrainer", "steps_of"]

_REPORT = 25


def steps_of(method: str, request: RegistrationRequest) -> int:
    """Steps of a method's network in total, both of its stages."""
    kind, _, tuned = method.partition("+")
    if kind == "none" and not tuned:
        return 0
    return request.steps + (request.tuning if tuned else 0)


class NetworkTrainer:
    """Trains networks; weights, states and curves are files in the folder of the run.

    Args:
        digest: of the run; files of another are not continued.
        validation: None for curves of the loss alone.
    """

    def __init__(
        self,
        request: RegistrationRequest,
        digest: str,
        pairs: TrainingPairs,
        validation: ValidationPairs | None,
    ) -> None:
        self._request, self._digest = request, digest
        self._pairs, self._validation = pairs, validation

    def train(self, network: nn.Module, method: str, seed: int) -> Iterator[StageProgress]:
        """Train in place, from the saved weights of the first stage where there are any."""
        request, (kind, _, tuned) = self._request, method.partition("+")
        if kind == "none":
            yield from self._stage(network, method, seed, 0)
        elif not load_weights(self._weights(kind, seed), network, self._digest):
            yield from self._stage(network, kind, seed, 0)
        if tuned and kind != "none":
            yield from self._stage(network, method, seed, request.steps)

    def _stage(
        self, network: nn.Module, method: str, seed: int, before: int
    ) -> Iterator[StageProgress]:
        """One stage, from its stored state on; ``before`` counts the steps of earlier ones."""
        request = self._request
        fabric = start_fabric(Hardware(request.device, precision=request.precision))
        optimiser = torch.optim.Adam(network.to(fabric.device).parameters(), request.rate)
        steps, state = steps_of(method, request) - before, self._state(method, seed)
        make_folder(state.parent)
        begun = load_state(state, network, optimiser, self._digest, steps)
        curve = self._begin_curve(network, method, seed, before, begun)
        losses = list[float]()
        pairs, loss = self._material(method)
        for at in fit(
            network,
            pairs,
            loss,
            fabric,
            steps=steps,
            batch=request.batch,
            rate=request.rate,
            seed=1000 * request.seed + seed,
            every=math.gcd(_REPORT, request.every),
            begun=begun,
            optimiser=optimiser,
        ):
            losses.append(at.loss)
            if at.done % request.every == 0 or at.done == steps:
                save_state(state, network, optimiser, at.done, self._digest)
                figures = self._figures(network)
                curve.add(before + at.done, math.fsum(losses) / len(losses), figures)
                losses = []
            yield _progress(method, seed, at)
        save_weights(self._weights(method, seed), network, self._digest)

    def _begin_curve(
        self, network: nn.Module, method: str, seed: int, before: int, begun: int
    ) -> TrainingCurve:
        curve = TrainingCurve(self._request.out, method, seed, self._digest)
        curve.keep_until(before + begun if begun else -1)
        if not curve.points:
            curve.add(before + begun, None, self._figures(network))
        return curve

    def _figures(self, network: nn.Module) -> dict[str, float]:
        if self._validation is None:
            return {}
        training = network.training
        found = self._validation.figures(network.eval())
        network.train(training)
        return found

    def _material(self, method: str) -> tuple[PairSet, Loss]:
        """What a method's last stage is trained on, and its loss."""
        request, (kind, _, tuned) = self._request, method.partition("+")
        real = unsupervised(request.similarity, request.smooth_real)
        if tuned == "real":
            return SinglePairs(self._pairs.real()), real
        made, known = self._pairs.synthetic(cast(Kind, kind)), supervised(request.smooth)
        if tuned == "mixed":
            both = MixedPairs(self._pairs.real(), made)
            return both, mixed(real, known, request.mixing)
        return SinglePairs(made), known

    def _weights(self, method: str, seed: int) -> Path:
        return self._request.out / f"{method}-{seed}.safetensors"

    def _state(self, method: str, seed: int) -> Path:
        return self._request.out / "states" / f"{method}-{seed}.safetensors"


def _progress(method: str, seed: int, at: FitProgress) -> StageProgress:
    words = f"loss {at.loss:.4f}, {at.ms:.0f} ms a step"
    return StageProgress(f"training {method}, seed {seed}", at.done, at.total, words)
