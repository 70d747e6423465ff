"""Cost of a training sample, image and labels, against MONAI's and TorchIO's elastic transforms.

    python -m benchmarks.transforms

Milliseconds of processor time of a sample, on one thread: a new deformation for each, from a bank,
from a run of ``drdm augment``, or live, and the inverse. In brackets, how many times as long the
elastic transform of the same package takes. Elastic transforms warp labels by nearest neighbour,
ours by one-hot linear argmax.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import monai.transforms as mt
import numpy as np
import SimpleITK
import torch
import torchio as tio
from monai.data import MetaTensor

from benchmarks.speed import SIDE
from src_core.augment import Request, augment, make_plan
from src_core.cases.case import Case
from src_core.io import write_image
from src_core.phantom import cardiac_phantom
from src_core.transforms import Bank, Live, RandDRDMd, RandomDRDM, Source, make_bank

VOLUME = Path(__file__).parents[1] / "resources" / "restricted" / "hippocampus.safetensors"
KEYS = ("image", "label")


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the tables."""
    options = _parser().parse_args(arguments)
    torch.set_num_threads(1)
    SimpleITK.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    heads = "".join(f"{head:>18}" for head in ("bank", "run", "live", "inverse"))
    print(f"{'ms a sample':24}{'elastic':>9}{heads}")
    with tempfile.TemporaryDirectory() as place:
        for name, case, model in _cases(options):
            home = Path(place) / name.replace(" ", "-")
            live = Live(model)
            list(make_bank({"case": case}, home / "bank", live, per_case=4))
            sources = [Bank(home / "bank"), Bank(_run(case, live, home)), live]
            for package, row in _rows(case, sources):
                _print_row(f"{name}, {package}", [_seconds(w, options.repeats) for w in row])


def _print_row(name: str, taken: list[float]) -> None:
    elastic, *ours = taken
    cells = "".join(f"{1e3 * s:8.1f} ({elastic / s:6.2f}x)" for s in ours)
    print(f"{name:24}{1e3 * elastic:9.1f}{cells}", flush=True)


def _run(case: Case, live: Live, home: Path) -> Path:
    """A run of two new cases of one, called ``case``."""
    image, labels = case.images[0], case.labels[0]
    (home / "scans" / "images").mkdir(parents=True)
    (home / "scans" / "labels").mkdir()
    write_image(home / "scans" / "images" / "case.nii.gz", image.data, image, case.grid)
    write_image(home / "scans" / "labels" / "case.nii.gz", labels.data, labels, case.grid)
    request = Request(home / "scans", home / "run", per_case=2, formats=("nifti",))
    for made in augment(make_plan(request, live.loaded()), live.loaded()):
        if getattr(made, "state", "made") == "failed":
            raise SystemExit(f"the run failed: {made}")
    return home / "run"


def _seconds(work: Callable[[], object], repeats: int) -> float:
    """Median processor time of ``work``, its first run left out."""
    taken = []
    for _ in range(repeats + 1):
        started = time.process_time()
        work()
        taken.append(time.process_time() - started)
    return median(taken[1:])


def _cases(options: argparse.Namespace) -> Iterator[tuple[str, Case, str | Path]]:
    phantom = cardiac_phantom(slices=10, phases=1, shape=(SIDE, SIDE))
    image, labels = phantom.image[..., 0], phantom.labels[..., 0]
    slice_ = (image[..., 5:6], labels[..., 5:6])
    yield f"{SIDE}^2", Case.from_arrays(*slice_, affine=phantom.affine), options.model
    yield f"{SIDE}^2 x 10", Case.from_arrays(image, labels, affine=phantom.affine), options.model
    if Path(options.volume_model).is_file():
        cube = np.repeat(image[48:208:2, 48:208:2], 8, axis=2).astype(np.float32)
        maps = np.repeat(labels[48:208:2, 48:208:2], 8, axis=2)
        yield "80^3", Case.from_arrays(cube, maps, spacing=1.0), options.volume_model


def _rows(
    case: Case, sources: Sequence[Source]
) -> Iterator[tuple[str, list[Callable[[], object]]]]:
    yield "MONAI", _monai(case, sources)
    yield "TorchIO", _torchio(case, sources)


def _monai(case: Case, sources: Sequence[Source]) -> list[Callable[[], object]]:
    flat = case.grid.shape[2] == 1
    values = {
        key: torch.from_numpy(array[..., 0] if flat else array)[None]
        for key, array in zip(KEYS, (case.image.astype(np.float32), case.label_map), strict=True)
    }
    affine = torch.from_numpy(np.array(case.grid.affine))
    sample = {key: MetaTensor(array, affine=affine) for key, array in values.items()}
    named = {**sample, "case": "case"}
    modes = ("bilinear", "nearest")
    elastic: Any = (
        mt.Rand2DElasticd(KEYS, (30, 30), (1, 2), prob=1, mode=modes)
        if flat
        else mt.Rand3DElasticd(KEYS, (5, 7), (50, 150), prob=1, mode=modes)
    )
    ours = [
        RandDRDMd(KEYS, source, ("bilinear", "label"), prob=1, case_key="case")
        for source in sources
    ]
    done = ours[0](named)
    return [
        lambda: elastic(sample),
        *[partial(transform, named) for transform in ours],
        lambda: ours[0].inverse({k: v.clone() for k, v in done.items() if k != "case"}),
    ]


def _torchio(case: Case, sources: Sequence[Source]) -> list[Callable[[], object]]:
    affine = np.array(case.grid.affine)
    image = torch.from_numpy(case.image.astype(np.float32))[None]
    labels = torch.from_numpy(np.asarray(case.label_map))[None]
    subject = tio.Subject(
        image=tio.ScalarImage(tensor=image, affine=affine),
        label=tio.LabelMap(tensor=labels, affine=affine),
        case="case",
    )
    elastic = tio.RandomElasticDeformation()
    ours = [RandomDRDM(source, case="case") for source in sources]
    done = ours[0](subject)
    return [
        lambda: elastic(subject),
        *[partial(transform, subject) for transform in ours],
        lambda: done.apply_inverse_transform(warn=False),
    ]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", nargs="?", default="cardiac-sax", help="a 2D model")
    parser.add_argument(
        "--volume-model", default=VOLUME, help="a 3D model's file; skipped where there is none"
    )
    parser.add_argument("--repeats", type=int, default=5, help="runs of each")
    return parser


if __name__ == "__main__":
    main()
