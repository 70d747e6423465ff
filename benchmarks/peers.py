"""Speed against other packages, on one thread: seconds of each, and their ratio.

    python -m benchmarks.peers

The published network is timed with random weights, which take the same time; its recovery is 80
calls at any level. The warp is that of a 3D volume by a field, linear, against SimpleITK.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence

import numpy as np
import SimpleITK
import torch

from benchmarks.speed import SIDE, seconds
from src_core.cases.case import Case
from src_core.fields.warp_case import warp_case
from src_core.generation.recovery import recovery_steps
from src_core.generation.session import start_flow
from src_core.models.library import load_model
from src_core.models.nn.acnn import AcnnConfig, AcnnUNet, predict

RELEASE_CALLS = 80


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    options = _parser().parse_args(arguments)
    torch.set_num_threads(1)
    SimpleITK.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    for name, ours, theirs, times in (_recovery(options.model), _warp()):
        mine = seconds(ours, options.repeats)
        other = times * seconds(theirs, options.repeats)
        print(f"{name:40} {mine:8.3f} s  {other:8.3f} s  {other / mine:7.1f} times", flush=True)


@torch.inference_mode()
def _recovery(name: str) -> tuple[str, Callable[[], object], Callable[[], object], int]:
    model, image = load_model(name, "cpu"), torch.rand(1, 1, SIDE, SIDE)
    flow, steps = start_flow(model, 1, level=48), model.spec.recovery.steps
    release, row = AcnnUNet(AcnnConfig()).eval(), torch.tensor([47])

    def theirs() -> object:
        with torch.inference_mode():
            return predict(release, image, row)

    return (
        f"recover a slice of {SIDE}^2, level 48",
        lambda: list(recovery_steps(model, image, flow, 48, steps)),
        theirs,
        RELEASE_CALLS,
    )


def _warp() -> tuple[str, Callable[[], object], Callable[[], object], int]:
    rng = np.random.default_rng(0)
    case = Case.from_arrays(rng.normal(size=(128, 112, 96)).astype(np.float32))
    field = rng.normal(size=(*case.grid.shape, 3)).astype(np.float32)
    image = SimpleITK.GetImageFromArray(case.image.T)
    vectors = SimpleITK.GetImageFromArray(
        np.ascontiguousarray(field.transpose(2, 1, 0, 3)).astype(np.float64), isVector=True
    )
    transform = SimpleITK.DisplacementFieldTransform(vectors)
    return (
        "warp 128 x 112 x 96 by a field (SimpleITK)",
        lambda: warp_case(case, field),
        lambda: SimpleITK.Resample(image, image, transform, SimpleITK.sitkLinear),
        1,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", nargs="?", default="cardiac-sax", help="a model's name or file")
    parser.add_argument("--repeats", type=int, default=5, help="runs counted")
    return parser


if __name__ == "__main__":
    main()
