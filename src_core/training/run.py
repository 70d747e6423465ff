"""A training run in a folder: ``state.safetensors``, the model, tables and pictures."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from src_core.datasets.reading import Entry, read_images
from src_core.errors import InputError, OptionName, Phrase
from src_core.errors.options import option_field
from src_core.models.checkpoint import save_model
from src_core.models.model import Card, Model, ModelSpec
from src_core.training.config import TrainConfig
from src_core.training.data import ModelGrid, Store, load_store, spread_images, spread_store
from src_core.training.hardware import Hardware, start_fabric
from src_core.training.loop import Lineage, Trainer, TrainingProgress
from src_core.training.options import TrainOptions
from src_core.training.organs import organ_side
from src_core.training.sources import split_sources
from src_core.training.state import load_state, save_state
from src_core.training.tables import append_rows, keep_until
from src_core.training.teacher import Teacher, fitted_weights, open_model, summary_of
from src_core.training.validation import TABLE, Validator

__all__ = ["start_from", "train"]

_STATE, _LOG = "state.safetensors", "log.csv"
_MEMORY = option_field(TrainOptions, "memory").default * 2**30


def train(
    dataset: Path | str,
    config: TrainConfig,
    out: Path | str,
    *,
    resume: bool = False,
    init: Path | str | None = None,
    teacher: Path | str | None = None,
    hardware: Hardware | None = None,
    memory: float = _MEMORY,
    report: Callable[[str], None] = lambda line: None,
) -> Iterator[TrainingProgress]:
    """Train a model into a folder; yields progress. The model is written at every checkpoint.

    Args:
        resume: continue the run in ``out`` where it stopped.
        init: a model, or the published .pth, whose weights the training starts from.
        teacher: a model, or the published .pth, whose velocities are followed as well.
        hardware: where to train; one CPU without.
        memory: bytes of images to keep in memory; more go to a file in ``out``.
        report: takes a line about what is done.

    Raises:
        InputError: a run is there already, there is none to resume, or something does not fit.
    """
    out = Path(out)
    if (out / _STATE).exists() and not resume:
        raise InputError(
            "a run is there already",
            where=str(out),
            do=Phrase("use ", OptionName("resume", True), ", or choose another folder"),
        )
    fabric = start_fabric(hardware or Hardware())
    grid = model_grid(config)
    sources, held = split_sources(read_images(dataset), config.validation.share, config.seed)
    report(f"reading {len(sources)} files to train on")
    cache = out / f"images{fabric.global_rank or ''}.u8"
    store = load_store(sources, grid, cache, memory)
    follows = Teacher(open_model(teacher, fabric.device), config) if teacher else None
    trainer = Trainer(config, store, fabric, follows)
    if init is not None and not resume:
        start_from(trainer, init)
    if resume:
        load_state(out / _STATE, trainer)
        report(f"continuing after {trainer.samples} samples")
    validator = None
    if fabric.is_global_zero:
        validator = _validator(config, grid, held, store, out, report)
        _open(out, trainer)
    yield from _run(trainer, out, validator)


def model_grid(config: TrainConfig) -> ModelGrid:
    """The grid of a config's training images and maps of organs."""
    side = organ_side(config.schedule.control)
    return ModelGrid(config.size, config.network.ndim, config.preprocessing, config.organs, side)


def start_from(trainer: Trainer, model: Path | str) -> None:
    """Take over a model's weights; refuses a model of another network."""
    found = open_model(model, trainer.fabric.device)
    weights = fitted_weights(found, trainer.config)
    for network in (trainer.network, trainer.average):
        network.load_state_dict(weights)
    trainer.lineage = Lineage(summary_of(found), trainer.lineage.teacher)


def _open(out: Path, trainer: Trainer) -> None:
    """Make the folder what it was at the checkpoint, or a new run's."""
    out.mkdir(parents=True, exist_ok=True)
    for left in out.glob(".*.partial"):
        with suppress(OSError):
            left.unlink()
    for table in (_LOG, TABLE):
        keep_until(out / table, trainer.samples)
    if not (out / _STATE).exists():
        save_state(out / _STATE, trainer)


def _validator(
    config: TrainConfig,
    grid: ModelGrid,
    held: list[Entry],
    store: Store,
    out: Path,
    report: Callable[[str], None],
) -> Validator | None:
    """Validates on files held out, or on images trained on where there are none; reports which."""
    settings = config.validation
    if not settings.cases:
        return None
    if held:
        names, views = spread_images(held, grid, settings.cases)
        report(f"validating on {len(names)} images of {len(held)} files held out")
    else:
        names, views = spread_store(store, settings.cases)
        report(f"validating on {len(names)} training images: no file is held out")
    return Validator(settings, names, views, out)


def _run(trainer: Trainer, out: Path, validator: Validator | None) -> Iterator[TrainingProgress]:
    saved = time.monotonic()
    interval = 60 * trainer.config.optimisation.checkpoint_minutes
    for progress in trainer.run():
        last = progress.samples >= progress.total
        if trainer.fabric.is_global_zero:
            append_rows(out / _LOG, [asdict(progress)])
            if time.monotonic() - saved > interval or last:
                _checkpoint(trainer, out, validator, progress.seconds, last)
                saved = time.monotonic()
        yield progress


def _checkpoint(
    trainer: Trainer, out: Path, validator: Validator | None, seconds: float, last: bool
) -> None:
    """The state comes last: what a run killed before it wrote is made again."""
    spec = spec_of(trainer)
    if validator is not None:
        model = Model(spec, trainer.average, trainer.fabric.device, "")
        validator.validate(model, trainer.samples, seconds, last)
    save_model(out / f"{spec.name}.safetensors", spec, trainer.average)
    save_state(out / _STATE, trainer)


def spec_of(trainer: Trainer) -> ModelSpec:
    """The spec of the model a trainer makes; its figures come from an evaluation later."""
    config, lineage = trainer.config, trainer.lineage
    options = [f"--{name} FILE" for name, summary in _named(lineage) if summary]
    card = Card(
        title=config.title or config.name,
        data=config.data,
        licence=config.licence,
        limits=config.limits,
        command=" ".join(
            [f"drdm train DATASET --config {config.name}.toml", *options, "--out RUN"]
        ),
        start=lineage.start,
        teacher=lineage.teacher,
        figures={"samples": trainer.samples, "images": len(trainer.store.images)},
    )
    return ModelSpec(
        name=config.name,
        size=config.size,
        preprocessing=config.preprocessing,
        mm_per_pixel=_scales(config, trainer.store),
        schedule=config.schedule,
        network=config.network,
        recovery=config.recovery,
        organs=config.organs,
        card=card,
    )


def _named(lineage: Lineage) -> list[tuple[str, str]]:
    return [("init", lineage.start), ("teacher", lineage.teacher)]


def _scales(config: TrainConfig, store: Store) -> tuple[float, float]:
    low, high = config.augmentation.crop
    return store.mm_per_pixel[0] * low, store.mm_per_pixel[1] * high
