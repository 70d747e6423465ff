"""What helps a recovery network learn: variants of one config, with equal numbers of samples.

    python -m benchmarks.ablation sunnybrook.csv --unseen acdc_validation.csv --samples 3200

Trained on strong fields throughout, the first stage of the curriculum. Relative squared errors (0
is perfect, 1 predicts nothing) of the velocity and of its gradient on unseen images, at full
amplitude and without augmentation; ms of a training sample and of a call, one thread.
"""

from __future__ import annotations

import argparse
import csv
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.timing import seconds as median_seconds
from src_core.datasets.reading import read_images
from src_core.training import TrainConfig, read_config
from src_core.training.batches import draw_sample, make_batch
from src_core.training.config import Augmentation, Stage
from src_core.training.data import ModelGrid, Store, load_store
from src_core.training.loop import Trainer
from src_core.training.losses import gradient
from src_core.training.teacher import Teacher, open_model

_CONFIG = Path("resources/configs/cardiac-sax.toml")
_ADAM = {"optimiser": "adam", "learning_rate": 1e-3}

#: What each variant changes in the config.
VARIANTS: dict[str, dict[str, Any]] = {
    "as shipped": {},
    "Adam instead of Muon": {"optimisation": _ADAM},
    "Muon at half the rate": {"optimisation": {"learning_rate": 5e-3}},
    "batch of 16": {"optimisation": {"batch": 16}},
    "errors absolute": {"weights": {"floor": 10.0}},
    "no gradient term": {"weights": {"gradient": 0.0}},
    "no angle term": {"weights": {"angle": 0.0}},
    "blocks of 8 pixels": {"network": {"stem": 8, "widths": [48, 64, 96], "output_stage": 0}},
    "blocks of 4 pixels": {"network": {"stem": 4, "widths": [16, 48, 64, 96], "output_stage": 1}},
    "half the width at 128": {"network": {"widths": [8, 24, 48, 64, 96]}},
    "one stage less": {"network": {"widths": [16, 32, 48, 96]}},
    "wider below": {"network": {"widths": [16, 32, 64, 96, 128]}},
    "no attention": {"network": {"heads": 0}},
    "stretched by up to a half": {"augmentation": {"aspect": 0.5}},
    "all levels at once": {"curriculum": [{"until": 1.0, "levels": [4, 80]}]},
}
_PLAIN = Augmentation(
    free_rotation=0, rotation=0, translation=0, flip=0, crop=(1, 1), aspect=0, gain=0, offset=0,
    threshold=0,
)  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> None:
    """Train every variant and print the table as it grows."""
    options = _parser().parse_args(arguments)
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    base = read_config(options.config)
    grid = ModelGrid(base.size, base.network.ndim, base.preprocessing)
    stores = [
        load_store(read_images(d), grid, Path("unused"), float("inf"))
        for d in (options.dataset, options.unseen)
    ]
    chosen = [n for n in VARIANTS if not options.only or n in options.only]
    variants: list[tuple[str, dict[str, Any], Path | None]] = [
        (n, VARIANTS[n], None) for n in chosen
    ]
    variants += [(f"teacher {t.stem}", {}, t) for t in options.teacher]
    rows = []
    print(f"{'variant':28}{'level 48':>18}{'level 70':>18}{'ms a sample':>13}{'ms a call':>11}")
    for name, changes, teacher in variants:
        config = changed(base, changes, options.samples)
        rows.append({"variant": name, **measure(config, stores[0], stores[1], teacher)})
        _print(rows[-1])
    if options.out:
        with options.out.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows(rows)


def changed(base: TrainConfig, changes: dict[str, Any], samples: int) -> TrainConfig:
    """A config with some settings changed, and the first stage of its curriculum throughout."""
    values = base.model_dump()
    values["curriculum"] = [{**values["curriculum"][0], "until": 1.0}]
    for table, settings in changes.items():
        values[table] = {**values[table], **settings} if isinstance(settings, dict) else settings
    values["optimisation"]["samples"] = samples
    return TrainConfig.model_validate(values)


def measure(
    config: TrainConfig, store: Store, unseen: Store, teacher: Path | None
) -> dict[str, float]:
    """Train a variant, and measure its averaged network on unseen images."""
    follows = Teacher(open_model(teacher, torch.device("cpu")), config) if teacher else None
    trainer = Trainer(config, store, teacher=follows)
    started = time.perf_counter()
    for _ in trainer.run():
        pass
    seconds = time.perf_counter() - started
    figures: dict[str, float] = {}
    for level in (48, 70):
        distance, slope = _errors(trainer, unseen, level)
        figures |= {f"distance{level}": distance, f"gradient{level}": slope}
    view, at = torch.rand(1, 1, *[config.size] * config.network.ndim), torch.tensor([48.0])
    network = trainer.average.eval()
    with torch.inference_mode():
        call = 1000 * median_seconds(lambda: network(view, at), 9)
    return {**figures, "train_ms": 1000 * seconds / config.optimisation.samples, "call_ms": call}


@torch.inference_mode()
def _errors(trainer: Trainer, unseen: Store, level: int, count: int = 64) -> tuple[float, float]:
    config = trainer.config.model_copy(update={"augmentation": _PLAIN, "seed": 10_007})
    stage = Stage(until=1.0, levels=(level, level), weaker=0, undeformed=0)
    shares = np.full(len(unseen.images), 1 / len(unseen.images))
    sums = np.zeros(4)
    for first in range(0, count, 8):
        draws = [draw_sample(config, stage, shares, first + i, trainer.ndim) for i in range(8)]
        batch = make_batch(config, unseen.images, draws)
        error = trainer.average(batch.images, batch.levels) - batch.targets
        parts = [f(x) for x in (error, batch.targets) for f in (_energy, gradient)]
        sums += [float(p.sum()) for p in parts]
    return sums[0] / sums[2], sums[1] / sums[3]


def _energy(field: torch.Tensor) -> torch.Tensor:
    return field.square().flatten(1).mean(1)


def _print(row: dict[str, Any]) -> None:
    pairs = [f"{row[f'distance{n}']:.3f} / {row[f'gradient{n}']:.3f}" for n in (48, 70)]
    cells = "".join(f"{p:>18}" for p in pairs)
    print(f"{row['variant']:28}{cells}{row['train_ms']:13.1f}{row['call_ms']:11.1f}", flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("dataset", type=Path, help="images to train on")
    parser.add_argument("--unseen", type=Path, required=True, help="images to measure on")
    parser.add_argument(
        "--config", type=Path, default=_CONFIG, help="the config that the variants change"
    )
    parser.add_argument(
        "--samples", type=int, default=3200, help="samples to train each variant with"
    )
    parser.add_argument("--only", nargs="*", default=[], help="names of variants")
    parser.add_argument("--teacher", type=Path, nargs="*", default=[], help="models to learn from")
    parser.add_argument("--out", type=Path, help="a .csv for the table")
    return parser


if __name__ == "__main__":
    main()
