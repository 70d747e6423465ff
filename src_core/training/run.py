"""A training run in a folder: ``config.json``, ``log.csv``, ``state.safetensors``, the model."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import torch

from src_core.checkpoint import load_file, save_model
from src_core.errors import InputError
from src_core.model import Card, ModelSpec
from src_core.preprocessing import Preprocessing
from src_core.training.config import TrainConfig
from src_core.training.data import Store, load_store
from src_core.training.loop import Progress, Trainer
from src_core.training.state import load_state, save_state

__all__ = ["start_from", "train"]

_STATE = "state.safetensors"


def train(
    dataset: Path | str,
    config: TrainConfig,
    out: Path | str,
    *,
    resume: bool = False,
    init: Path | str | None = None,
) -> Iterator[Progress]:
    """Train a model into a folder; yields progress. The model is written at every checkpoint.

    Args:
        resume: go on where the run in ``out`` stopped.
        init: a model whose weights to start from; its network must be the config's.

    Raises:
        InputError: a run is there already, there is none to resume, or the start does not fit.
    """
    out = Path(out)
    if (out / _STATE).exists() and not resume:
        raise InputError(
            "a run is there already", where=str(out), do="add --resume, or choose another --out"
        )
    store = load_store(dataset, config.size, config.network.ndim, config.percentiles)
    trainer = Trainer(config, store)
    if init is not None and not resume:
        start_from(trainer, init)
    if resume:
        load_state(out / _STATE, trainer)
    else:
        out.mkdir(parents=True, exist_ok=True)
        save_state(out / _STATE, trainer)
    yield from _run(trainer, out)


def start_from(trainer: Trainer, model: Path | str) -> None:
    """Take over a model's weights; refuses a model of another network."""
    found = load_file(model, torch.device("cpu"))
    if found.spec.network != trainer.config.network:
        raise InputError(
            "the model to start from has another network",
            where=str(model),
            expected="the one of the config",
        )
    for network in (trainer.network, trainer.average):
        network.load_state_dict(found.network.state_dict())


def _run(trainer: Trainer, out: Path) -> Iterator[Progress]:
    saved = time.monotonic()
    interval = 60 * trainer.config.optimisation.checkpoint_minutes
    for progress in trainer.run():
        _log(out / "log.csv", progress)
        if time.monotonic() - saved > interval or progress.samples >= progress.total:
            save_state(out / _STATE, trainer)
            save_model(
                out / f"{trainer.config.name}.safetensors", spec_of(trainer), trainer.average
            )
            saved = time.monotonic()
        yield progress


def spec_of(trainer: Trainer) -> ModelSpec:
    """The spec of the model a trainer makes; its figures come from an evaluation later."""
    config = trainer.config
    card = Card(
        title=config.title or config.name,
        data=config.data,
        licence=config.licence,
        limits=config.limits,
        command=f"drdm train DATASET --config {config.name}.toml --out RUN",
        figures={"samples": trainer.samples, "images": len(trainer.store.images)},
    )
    return ModelSpec(
        name=config.name,
        size=config.size,
        preprocessing=Preprocessing(percentiles=config.percentiles),
        mm_per_pixel=_scales(config, trainer.store),
        schedule=config.schedule,
        network=config.network,
        recovery=config.recovery,
        card=card,
    )


def _scales(config: TrainConfig, store: Store) -> tuple[float, float]:
    low, high = config.augmentation.crop
    return store.mm_per_pixel[0] * low, store.mm_per_pixel[1] * high


def _log(path: Path, progress: Progress) -> None:
    """Append a row; one left over from before a resumed checkpoint may stand twice."""
    row, text = asdict(progress), io.StringIO()
    writer = csv.DictWriter(text, row, lineterminator="\n")
    if not path.exists():
        writer.writeheader()
    writer.writerow(row)
    with path.open("a", encoding="utf-8", newline="") as file:
        file.write(text.getvalue())
