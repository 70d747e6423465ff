"""``drdm train``: Algorithm 1 on a data set of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from src_core.cli.report import progress, tell

__all__ = ["train"]


def train(
    dataset: Annotated[
        Path, typer.Argument(help="A folder of NIfTI images, or a CSV with columns image, weight.")
    ],
    config: Annotated[
        str, typer.Option(help="A .toml file, or the name of a config that ships: cardiac-sax.")
    ],
    out: Annotated[Path, typer.Option(help="The run's folder: state, log, model.")],
    resume: Annotated[bool, typer.Option("--resume", help="Go on where the run stopped.")] = False,
    init: Annotated[
        Path | None, typer.Option(help="A model whose weights to start from, instead of random.")
    ] = None,
) -> None:
    """Train a model from scratch on unlabelled images.

    Example: drdm train scans/ --config cardiac-sax --out runs/mine
    """
    import torch

    from src_core.training import read_config
    from src_core.training import train as run

    chosen = read_config(_config_file(config))
    torch.set_num_threads(chosen.optimisation.threads)
    torch.set_flush_denormal(True)
    tell(f"reading {dataset}")
    with progress(f"training {chosen.name}") as advance:
        for step in run(dataset, chosen, out, resume=resume, init=init):
            rate = 1000 * step.seconds / max(step.seen, 1)
            advance(step.samples, step.total, f"loss {step.loss:.3f}, {rate:.0f} ms a sample")
    print(out / f"{chosen.name}.safetensors")


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
