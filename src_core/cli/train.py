"""``drdm train``: Algorithm 1 on a data set of one's own."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from src_core.cli.failures import resumable
from src_core.cli.options import group, with_options
from src_core.cli.report import progress, tell
from src_core.training.options import TrainOptions

if TYPE_CHECKING:
    from src_core.training import TrainingProgress

__all__ = ["train"]


@with_options(options=group(TrainOptions))
def train(
    dataset: Annotated[
        Path,
        typer.Argument(help="A folder of NIfTI images, or a CSV: image, weight, split, subject."),
    ],
    config: Annotated[
        str, typer.Option(help="A .toml file, or the name of a config that ships: cardiac-sax.")
    ],
    out: Annotated[Path, typer.Option(help="Folder of the run: state, log, model.")],
    options: dict[str, Any],
) -> None:
    """Train a model on unlabelled images.

    Example: drdm train scans/ --config cardiac-sax --out runs/mine
    """
    import torch

    from src_core.training import Hardware, read_config
    from src_core.training import train as run

    chosen = read_config(_config_file(config))
    torch.set_num_threads(chosen.optimisation.threads)
    torch.set_flush_denormal(True)
    speaks = os.environ.get("LOCAL_RANK", "0") == "0"
    asked = TrainOptions(**options)
    steps = run(
        dataset,
        chosen,
        out,
        resume=asked.resume,
        init=asked.init,
        teacher=asked.teacher,
        hardware=Hardware(asked.device, asked.devices, asked.precision),
        memory=asked.memory * 2**30,
        report=tell if speaks else _say_nothing,
    )
    if not speaks:
        deque(steps, maxlen=0)
        return
    _follow(steps, chosen.name)
    print(out / f"{chosen.name}.safetensors")


def _follow(steps: Iterator[TrainingProgress], name: str) -> None:
    with resumable(), progress(f"training {name}") as advance:
        for step in steps:
            rate = 1000 * step.seconds / max(step.seen, 1)
            advance(step.samples, step.total, f"loss {step.loss:.3f}, {rate:.0f} ms a sample")


def _say_nothing(line: str) -> None:
    """Nothing: of several processes, the first alone reports."""


def _config_file(name: str) -> Path:
    if name.endswith(".toml"):
        return Path(name)
    from importlib import resources

    from src_core.errors import InputError

    folder = Path(str(resources.files("napari_drdm_resources"))) / "configs"
    known = sorted(p.stem for p in folder.glob("*.toml"))
    if name not in known:
        raise InputError(
            f"no config called {name}",
            where="--config",
            expected=f"a .toml file, or one of: {', '.join(known)}",
        )
    return folder / f"{name}.toml"
