"""The state of a training: weights, Adam's moments and the step, one file, whole or not at all."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save
from torch import nn

from src_core.io import open_atomically

__all__ = ["load_state", "save_state"]

_DIGEST, _STEP = "drdm-registration", "step"


def save_state(
    path: Path, network: nn.Module, optimiser: torch.optim.Adam, step: int, digest: str
) -> None:
    """Write the state after a step of a training of the run of this digest."""
    tensors = {f"network.{k}": v for k, v in network.state_dict().items()}
    for index, moments in optimiser.state_dict()["state"].items():
        tensors |= {f"adam.{index}.{name}": value for name, value in moments.items()}
    plain = {name: v.detach().cpu().contiguous() for name, v in tensors.items()}
    with open_atomically(path) as file:
        file.write(save(plain, {_DIGEST: digest, _STEP: str(step)}))


def load_state(
    path: Path, network: nn.Module, optimiser: torch.optim.Adam, digest: str, most: int
) -> int:
    """Read a state into a network and its optimiser, and return its step.

    Returns:
        0, and nothing is read, where the file is absent or of another run, or its step is after
        ``most``.
    """
    if not path.is_file():
        return 0
    with safe_open(path, framework="pt") as file:
        facts = file.metadata() or {}
        step = int(facts.get(_STEP, 0))
        if facts.get(_DIGEST) != digest or step > most:
            return 0
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    network.load_state_dict(_under("network.", tensors))
    moments: dict[int, dict[str, torch.Tensor]] = {}
    for key, value in _under("adam.", tensors).items():
        index, _, name = key.partition(".")
        moments.setdefault(int(index), {})[name] = value
    optimiser.load_state_dict({**optimiser.state_dict(), "state": moments})
    return step


def _under(start: str, tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {key.removeprefix(start): v for key, v in tensors.items() if key.startswith(start)}
