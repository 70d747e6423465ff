"""Whole runs of the published weights, against figures of the release's own code.

    python -m benchmarks.release_statistics --levels 30 --seeds 2

A run differs between machines, so runs are compared by their statistics: each figure is a mean over
slices and seeds with its standard deviation; below it is the figure of the release's own code on
the same slices with two seeds each.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Sequence
from pathlib import Path

import nibabel as nib
import torch
from torch import Tensor

from src_core.diffusion.random_field import generator
from src_core.diffusion.release_field import RELEASE, ReleaseField, release_ddf
from src_core.fields import certify, folding_permille, magnitude
from src_core.fields.sampling import identity, sample
from src_core.models.nn.acnn import AcnnUNet
from src_core.models.release import release_network, release_step

SIDE = 256
COLUMNS = ("max", "mean", "neg_central", "neg_strict", "random_max", "random_neg", "ms_per_call")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run every level and print the table."""
    options = _parser().parse_args(arguments)
    torch.set_num_threads(options.threads)
    network = release_network(options.weights or options.reference / "000000_cmr_recresacnet.pth")
    images = [load_slice(options.image, index) for index in options.slices]
    published = _published(options.reference / "release_table1.json")
    print(f"{len(images)} slices x {options.seeds} seeds, rows {options.rows}, {SIDE}^2")
    print("displacement in % of the side, folds in permille")
    print(f"{'level':12}" + "".join(f"{name:>18}" for name in COLUMNS))
    for level in options.levels:
        rows = [
            run(network, image, level, (seed, index), options.rows)
            for index, image in zip(options.slices, images, strict=True)
            for seed in range(1, options.seeds + 1)
        ]
        print(_line(f"{level}", _summary(rows)), flush=True)
        if level in published:
            print(_line("  release", published[level]), flush=True)


def run(
    network: AcnnUNet, image: Tensor, level: int, seeds: tuple[int, int], rows: str
) -> dict[str, float]:
    """Figures of one run: a random field of the level, then all rows or those from the level."""
    field, source = ReleaseField(RELEASE), generator(*seeds)
    components, disturbance = field.draw(2, source), field.draw(2, source)
    random = u = release_ddf(components, disturbance, RELEASE.n_ddf(level), SIDE)
    first = RELEASE.levels if rows == "all" else level
    started = time.perf_counter()
    for here in range(first, 0, -1):
        u = release_step(network, image, u, here)
    seconds = time.perf_counter() - started
    length, start = magnitude(u) * (100 / SIDE), magnitude(random) * (100 / SIDE)
    return {
        "max": float(length.max()),
        "mean": float(length.mean()),
        "neg_central": float(folding_permille(u)),
        "neg_strict": certify(u)[0].strict_folding_permille,
        "random_max": float(start.max()),
        "random_neg": float(folding_permille(random)),
        "ms_per_call": 1000 * seconds / first,
    }


def load_slice(path: Path, index: int) -> Tensor:
    """One slice of a volume, stretched to 256^2 and to [0, 1], as the release reads it."""
    volume = nib.nifti1.load(path).get_fdata(dtype="float32")
    plane = torch.from_numpy(volume[None, None, :, :, index])
    shape = torch.tensor(plane.shape[2:]).view(1, 2, 1, 1)
    where = (identity((SIDE, SIDE), plane) + 0.5) * (shape / SIDE) - 0.5
    stretched = sample(plane, where)
    low, high = stretched.min(), stretched.max()
    return (stretched - low) / (high - low)


def _published(path: Path) -> dict[int, dict[str, float]]:
    if not path.is_file():
        return {}
    return {row["level"]: row for row in json.loads(path.read_text())["rows"]}


def _summary(rows: list[dict[str, float]]) -> dict[str, Tensor]:
    return {name: torch.tensor([row[name] for row in rows]) for name in COLUMNS}


def _line(name: str, figures: dict[str, Tensor] | dict[str, float]) -> str:
    return f"{name:12}" + "".join(f"{_cell(figures.get(column)):>18}" for column in COLUMNS)


def _cell(figure: Tensor | float | None) -> str:
    if figure is None:
        return ""
    if isinstance(figure, Tensor):
        return f"{figure.mean():.2f} ± {figure.std(unbiased=len(figure) > 1):.2f}"
    return f"{figure:.2f}"


def _parser() -> argparse.ArgumentParser:
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    data = Path(os.environ.get("NAPARI_DRDM_DATA") or beside)
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    image = data / "acdc" / "original" / "patient001_frame01.nii.gz"
    parser.add_argument("--image", type=Path, default=image, help="a volume of short-axis slices")
    parser.add_argument("--slices", type=int, nargs="+", default=[3, 5, 7], help="of the volume")
    parser.add_argument("--weights", type=Path, help="the published .pth")
    parser.add_argument(
        "--reference", type=Path, default=data.parent / "reference", help="with release_table1.json"
    )
    parser.add_argument("--levels", type=int, nargs="+", default=[30, 45, 55, 65, 70])
    parser.add_argument("--seeds", type=int, default=4, help="a slice; 4 give 12 runs a level")
    parser.add_argument(
        "--rows", choices=("all", "from-level"), default="all", help="where the recovery starts"
    )
    parser.add_argument("--threads", type=int, default=1)
    return parser


if __name__ == "__main__":
    main()
