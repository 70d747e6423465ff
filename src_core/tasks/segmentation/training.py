"""A training: steps on the CPU one by one, on a GPU as one recorded CUDA graph.

Several trainings can share a GPU: each has a stream of its own, and yields between a few steps.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from src_core.tasks.segmentation.batches import Batches
from src_core.tasks.segmentation.network import make_network, segmentation_loss

__all__ = ["Training", "TrainingState"]

_WARM_UP, _POWER = 50, 0.9
_DECAY, _LARGEST_GRADIENT = 1e-3, 5.0
#: Steps between two yields, and those before a graph is recorded.
_AT_ONCE, _BEFORE = 25, 3


@dataclass(frozen=True)
class TrainingState:
    """Progress of a training: ``done`` of ``total`` steps."""

    done: int
    total: int


class Training:
    """One network and what trains it.

    Args:
        batches: of this training.
        labels: number of labels without background.
        steps: of the training.
        rate: the largest learning rate.
        seed: of the initial weights.
        device: where it runs.
    """

    def __init__(
        self,
        batches: Callable[[], Batches],
        labels: int,
        *,
        steps: int,
        rate: float,
        seed: int,
        device: torch.device,
    ) -> None:
        self._steps, self._device = steps, device
        self._stream = torch.cuda.Stream(device) if device.type == "cuda" else None
        self._graph: torch.cuda.CUDAGraph | None = None
        self._records, self._done = device.type == "cuda", 0
        with self.stream():
            self._batches = batches()
            self.network: nn.Module = make_network(labels, seed, device).train()
            self._step = torch.zeros(1, dtype=torch.int64, device=device)
            self._losses = torch.zeros(steps, device=device)
            self._rates = _rates(steps, rate).to(device)
            self._rate = self._rates[0].clone()
            self._optimiser = torch.optim.AdamW(
                self.network.parameters(),
                self._rate,
                weight_decay=_DECAY,
                fused=True,
                capturable=self._records,
            )

    def stream(self) -> AbstractContextManager[object]:
        """What its work on a GPU is to be done under."""
        return nullcontext() if self._stream is None else torch.cuda.stream(self._stream)

    def steps(self) -> Iterator[TrainingState]:
        """Train; a quarter of the steps ends at a yield."""
        done, quarter = 0, max(self._steps // 4, 1)
        while done < self._steps:
            left = min(self._steps, (done // quarter + 1) * quarter) - done
            count = min(_AT_ONCE, left if left > 0 else self._steps - done)
            with self.stream():
                for _ in range(count):
                    self._do()
                    done += 1
            yield TrainingState(done, self._steps)

    def loss(self, done: int) -> float:
        """Mean loss over the last tenth of ``done`` steps."""
        with self.stream():
            return float(self._losses[max(done - max(self._steps // 10, 1), 0) : done].mean())

    def _do(self) -> None:
        if self._graph is not None:
            self._graph.replay()
            return
        self._one_step()
        self._done += 1
        if self._records and self._done == _BEFORE:
            self._record()

    @torch.enable_grad()
    def _one_step(self) -> None:
        image, classes = self._batches(self._step)
        self._optimiser.zero_grad()
        with torch.autocast(self._device.type, torch.bfloat16, cache_enabled=False):
            scores = self.network(image)
        loss = segmentation_loss(scores, classes)
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), _LARGEST_GRADIENT)
        with torch.no_grad():
            self._rate.copy_(self._rates.index_select(0, self._step)[0])
            self._losses.index_copy_(0, self._step, loss.detach()[None])
        self._optimiser.step()
        self._step += 1

    def _record(self) -> None:
        """Record a step without doing it; where that fails, steps are done one by one."""
        graph = torch.cuda.CUDAGraph()
        self._optimiser.zero_grad()
        try:
            with torch.cuda.graph(graph, stream=self._stream, capture_error_mode="thread_local"):
                self._one_step()
        except RuntimeError as error:
            warnings.warn(f"no CUDA graph: {error}", RuntimeWarning, stacklevel=2)
            self._records = False
            return
        self._graph = graph


def _rates(steps: int, rate: float) -> Tensor:
    step = torch.arange(steps, dtype=torch.float64)
    rising = ((step + 1) / _WARM_UP).clamp(max=1)
    return (rate * rising * (1 - step / steps) ** _POWER).float()
