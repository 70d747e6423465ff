"""How far a recovery carries noise: 1e-5 voxel on the random field, and what comes out of it.

    python -m benchmarks.sensitivity cardiac-sax --data acdc --cases 6

Everything in voxels of the model's image. The noise is a last flow before recovery starts, which
moves every point by a Gaussian step. Under 1e-2 voxel two machines agree on a recovery.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import torch
from torch import Tensor

from benchmarks.cases import Subject, add_data_options, load_subjects, recovered
from src_core.fields import magnitude
from src_core.generation.run import start_flow
from src_core.library import load_model
from src_core.model import Model
from src_core.noise import generator

NOISE = 1e-5


def main(arguments: Sequence[str] | None = None) -> None:
    """Print median, 99th percentile and worst change for every level."""
    options = _parser().parse_args(arguments)
    torch.set_num_threads(1)
    model = load_model(options.model, "cpu")
    subjects = load_subjects(options.data, options.cases, model)
    print(f"{model.spec.name} {model.sha256[:12]}: {len(subjects)} cases, {options.steps} steps")
    print(f"noise of {options.noise:g} voxel on the random field changes the recovered one by")
    print(f"{'level':>5}{'median':>12}{'99 %':>12}{'worst':>12}")
    for level in options.levels:
        changes = [
            field_change(model, subject, level, index, options.steps, options.noise)
            for index, subject in enumerate(subjects)
        ]
        print(_line(level, torch.stack(changes)), flush=True)


def field_change(
    model: Model, subject: Subject, level: int, index: int, steps: int, noise: float
) -> Tensor:
    """Lengths of the change of the recovered field: (*state), voxels of the model's image."""
    flow = start_flow(model, 1, index, level=level)
    factor = model.spec.size / model.spec.state
    shape = (1, model.spec.ndim, *[model.spec.state] * model.spec.ndim)
    step = torch.randn(shape, generator=generator(2, index)) * (noise / factor)
    before = recovered(model, subject.views, flow, level, steps)
    after = recovered(model, subject.views, flow.followed_by(step), level, steps)
    return magnitude(after - before)[0] * factor


def _line(level: int, changes: Tensor) -> str:
    lengths = changes.flatten()
    told = (lengths.median(), lengths.quantile(0.99), lengths.max())
    return f"{level:5}" + "".join(f"{float(value):12.1e}" for value in told)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_data_options(parser)
    parser.add_argument("--levels", type=int, nargs="+", default=[48, 70])
    parser.add_argument("--noise", type=float, default=NOISE, help="voxels, standard deviation")
    return parser


if __name__ == "__main__":
    main()
