"""The whole state of a run in one safetensors file, so that a run resumes bit for bit.

Sample i depends on the seed and i alone; weights, their average, the optimiser's moments and the
position are therefore everything.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from src_core.errors import InputError, OptionName, Phrase
from src_core.io import open_atomically
from src_core.training.config import TrainConfig
from src_core.training.loop import Lineage, Trainer

__all__ = ["load_state", "save_state"]

_KEY = "drdm-run"


def save_state(path: Path, trainer: Trainer) -> None:
    """Write a trainer's state, complete or not at all."""
    tensors = {f"network.{k}": v for k, v in trainer.network.state_dict().items()}
    tensors |= {f"average.{k}": v for k, v in trainer.average.state_dict().items()}
    for index, moments in trainer.optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser.{index}.{name}": value for name, value in moments.items()}
    facts = {
        "samples": trainer.samples,
        "skipped": trainer.skipped,
        "config": trainer.config.model_dump_json(),
        "images": trainer.store.digest,
        "lineage": asdict(trainer.lineage),
    }
    contiguous = {k: v.detach().cpu().contiguous() for k, v in tensors.items()}
    with open_atomically(path) as file:
        file.write(save(contiguous, metadata={_KEY: json.dumps(facts)}))


def load_state(path: Path, trainer: Trainer) -> None:
    """Put a trainer where a saved run stood.

    Raises:
        InputError: no state there, or one of another config or data set.
    """
    try:
        with safe_open(path, framework="pt") as file:
            facts = json.loads((file.metadata() or {})[_KEY])
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, KeyError, json.JSONDecodeError) as error:
        raise InputError(
            "no run to resume", where=str(path), do=Phrase("leave out ", OptionName("resume"))
        ) from error
    if TrainConfig.model_validate_json(facts["config"]) != trainer.config:
        raise InputError(
            "the run was started with another config",
            where=str(path),
            do="use that config, or another folder",
        )
    lineage = Lineage(**facts.get("lineage", {}))
    if lineage.teacher != trainer.lineage.teacher:
        raise InputError(
            f"the run was started with {lineage.teacher or 'no teacher'}",
            where=str(path),
            do=Phrase("give the same ", OptionName("teacher"), ", or another folder"),
        )
    if facts["images"] != trainer.store.digest:
        raise InputError(
            "the run was started on other images",
            where=str(path),
            do="use that data set, or another folder",
        )
    _restore(trainer, tensors)
    trainer.lineage = lineage
    trainer.samples, trainer.skipped = facts["samples"], facts["skipped"]


def _restore(trainer: Trainer, tensors: dict[str, Tensor]) -> None:
    trainer.network.load_state_dict(_below(tensors, "network."))
    trainer.average.load_state_dict(_below(tensors, "average."))
    parameters = [p for group in trainer.optimiser.param_groups for p in group["params"]]
    moments: dict[int, dict[str, Tensor]] = {}
    for key, value in _below(tensors, "optimiser.").items():
        index, name = key.split(".", 1)
        like = parameters[int(index)]
        # In the parameter's own order in memory: sums over another round otherwise.
        same = torch.empty_like(like).copy_(value) if value.shape == like.shape else value
        moments.setdefault(int(index), {})[name] = same
    whole = trainer.optimiser.state_dict()
    trainer.optimiser.load_state_dict({**whole, "state": moments})


def _below(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
