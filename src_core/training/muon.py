"""Muon: steps of matrices made orthogonal, so that every direction of a layer learns equally fast.

Momentum, then five Newton-Schulz steps towards ``U V'`` of its singular value decomposition (Jordan
et al. 2024, https://kellerjordan.github.io/posts/muon/), scaled to the size of Adam's steps (Liu et
al. 2025, arXiv:2502.16982). Vectors and small matrices take Adam. In float32: torch's own rounds to
bfloat16, which few CPUs have, and takes no convolutions.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

__all__ = ["Muon", "orthogonalise"]

_SMALLEST = 16
_COEFFICIENTS = (3.4445, -4.7750, 2.0315)
_ADAM_RMS = 0.2
_EPSILON = 1e-8


def orthogonalise(matrix: Tensor, steps: int = 5) -> Tensor:
    """A matrix (n, m) with its singular values brought near 1 (0.7 to 1.2), vectors kept."""
    a, b, c = _COEFFICIENTS
    tall = matrix.shape[0] > matrix.shape[1]
    x = matrix.T if tall else matrix
    x = x / (torch.linalg.matrix_norm(x) + _EPSILON)
    for _ in range(steps):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.T if tall else x


class Muon(torch.optim.Optimizer):
    """Muon for matrices, Adam for the rest, in one optimiser.

    Convolutions count as matrices (outputs, inputs times kernel); each kind is a group.
    """

    def __init__(
        self,
        parameters: Iterable[nn.Parameter],
        learning_rate: float,
        adam_rate: float,
        momentum: float = 0.95,
        betas: tuple[float, float] = (0.9, 0.99),
    ) -> None:
        every = list(parameters)
        groups = [
            {"params": [p for p in every if _is_matrix(p)], "lr": learning_rate},
            {"params": [p for p in every if not _is_matrix(p)], "lr": adam_rate},
        ]
        self.momentum, self.betas = momentum, betas
        super().__init__([g for g in groups if g["params"]], {})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """One update of every parameter that has a gradient."""
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._update(parameter, parameter.grad, group["lr"])

    def _update(self, parameter: Tensor, grad: Tensor, rate: float) -> None:
        state = self.state[parameter]
        if _is_matrix(parameter):
            if not state:
                state["momentum"] = torch.zeros_like(parameter)
            mean = state["momentum"].lerp_(grad, 1 - self.momentum)
            direction = orthogonalise(grad.lerp(mean, self.momentum).flatten(1))
            scale = _ADAM_RMS * max(direction.shape) ** 0.5
            parameter.add_(direction.view_as(parameter), alpha=-rate * scale)
            return
        if not state:
            state["mean"], state["square"] = torch.zeros_like(grad), torch.zeros_like(grad)
            state["step"] = torch.zeros(())
        state["step"] += 1
        first, second = self.betas
        state["mean"].lerp_(grad, 1 - first)
        state["square"].mul_(second).addcmul_(grad, grad, value=1 - second)
        done = float(state["step"])
        spread = (state["square"] / (1 - second**done)).sqrt() + _EPSILON
        parameter.addcdiv_(state["mean"], spread, value=-rate / (1 - first**done))


def _is_matrix(parameter: Tensor) -> bool:
    return parameter.dim() >= 2 and min(parameter.shape[0], parameter[0].numel()) >= _SMALLEST
