"""Cost of a run on one thread: seconds, and milliseconds of a network call.

    python -m benchmarks.speed cardiac-sax

Each figure is the median over runs, the first one left out.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

import numpy as np
import torch
from scipy import ndimage

from src_core.cases.case import Case
from src_core.generation import Session, generate, make_options, save_result
from src_core.io import read_case
from src_core.io.case_files import save_case
from src_core.models.library import load_model
from src_core.models.model import Model
from src_core.phantom import cardiac_phantom, phantom_case

SIDE = 256


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    options = _parser().parse_args(arguments)
    torch.set_num_threads(1)
    model = load_model(options.model, "cpu")
    print(f"{model.spec.name} {model.sha256[:12]}, level {options.level}, one thread")
    with tempfile.TemporaryDirectory() as place:
        for name, work in _measurements(model, options, Path(place)):
            print(f"{name:46}{_duration(seconds(work, options.repeats)):>12}", flush=True)


def _measurements(
    model: Model, options: argparse.Namespace, place: Path
) -> list[tuple[str, Callable[[], object]]]:
    level = options.level
    if model.spec.ndim == 3:
        return _measurements_3d(model, level)
    save_case(_slice(), place, _slice())
    files = place / "image.nii.gz", place / "labels.nii.gz"
    one, volume = read_case(*files), phantom_case()
    images = torch.rand(1, 1, *[model.spec.size] * model.spec.ndim)
    generated = generate(one, model, level=level)
    whole = "x".join(str(n) for n in volume.grid.shape)

    def from_load_to_result() -> object:
        return generate(read_case(*files), load_model(options.model, "cpu"), level=level)

    return [
        ("network call", lambda: _predict(model, images, max(level, 1))),
        ("load the model", lambda: load_model(options.model, "cpu")),
        (f"{SIDE}^2 slice and model, from load to result", from_load_to_result),
        (f"{SIDE}^2 slice, generation alone", lambda: generate(one, model, level=level)),
        (f"{SIDE}^2 slice, saving", lambda: save_result(generated, place / "out", overwrite=True)),
        (f"draw the phantom, end-diastole, {whole}", phantom_case),
        ("generate from it, one deformation", lambda: generate(volume, model, level=level)),
        (
            "generate from it, one deformation a slice",
            lambda: generate(volume, model, level=level, slices="each"),
        ),
    ]


def _measurements_3d(model: Model, level: int) -> list[tuple[str, Callable[[], object]]]:
    size = model.spec.size
    noise = np.random.default_rng(0).standard_normal([size] * 3).astype(np.float32)
    volume = Case.from_arrays(ndimage.gaussian_filter(noise, 3), spacing=1.0)
    images = torch.rand(1, 1, *[size] * 3)

    def recover_alone() -> object:
        return list(Session(volume, model).steps(make_options(80, level=level)))

    return [
        ("network call", lambda: _predict(model, images, max(level, 1))),
        (f"{size}^3 volume, recovery", recover_alone),
        (f"{size}^3 volume, generation", lambda: generate(volume, model, level=level)),
    ]


def _slice() -> Case:
    phantom = cardiac_phantom(slices=1, phases=1, shape=(SIDE, SIDE))
    return Case.from_arrays(phantom.image[..., 0], phantom.labels[..., 0], affine=phantom.affine)


@torch.inference_mode()
def _predict(model: Model, images: torch.Tensor, level: int) -> torch.Tensor:
    return model.predict(images, level)


def seconds(work: Callable[[], object], repeats: int) -> float:
    """Median wall time of ``work``, its first run left out."""
    taken = []
    for _ in range(repeats + 1):
        started = time.perf_counter()
        work()
        taken.append(time.perf_counter() - started)
    return median(taken[1:])


def _duration(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 0.1 else f"{1000 * seconds:.1f} ms"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", nargs="?", default="cardiac-sax", help="a model's name or file")
    parser.add_argument("--level", type=int, default=48)
    parser.add_argument("--repeats", type=int, default=5, help="runs of each")
    return parser


if __name__ == "__main__":
    main()
