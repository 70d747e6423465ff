"""How cost grows: the rows of a volume from side to side, and one very large volume end to end."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np

from benchmarks import inputs
from benchmarks.case_rows import generation_row
from benchmarks.field_rows import volume_rows
from benchmarks.running import measured
from benchmarks.table import Line, Sizes, lines_of

__all__ = ["SIDES", "largest_lines", "sweep_lines"]

SIDES = (64, 96, 128, 192, 256, 384)
_LEVEL = "30"
#: Bytes and seconds that the largest volume may take.
_MEMORY, _SECONDS = 8 * 2**30, 240.0


def sweep_lines(sides: Sequence[int], sizes: Sizes) -> Iterator[Line]:
    """The rows of a volume for each side, then a whole sample."""
    for side in sides:
        for row in (*volume_rows(side, heavy=False), generation_row(side)):
            yield from lines_of(replace(row, goal=None), sizes.budget, sizes.clock)


def largest_lines(side: int, model: Path) -> Iterator[Line]:
    """A new case of a volume by ``drdm generate``, then its field by ``drdm apply``."""
    with tempfile.TemporaryDirectory() as place:
        home = Path(place)
        image, labels = _volume(home, side)
        files = [str(image), "--labels", str(labels)]
        chosen = ["--model", str(model), "--device", "cpu", "--level", _LEVEL]
        field = str(home / "new" / "displacement.nii.gz")
        for verb, words in (
            ("generate", [*files, *chosen, "--out", str(home / "new")]),
            ("apply", [field, *files, "--out", str(home / "moved")]),
        ):
            seconds, peak = measured([verb, *words])
            goal = f"<= {_SECONDS / 60:.0f} min, {_MEMORY / 2**30:.0f} GiB"
            met = "yes" if seconds <= _SECONDS and peak <= _MEMORY else "no"
            cells = f"{seconds:.0f} s", "", f"{peak / 2**20:.0f} MiB", "", goal, met
            yield (f"drdm {verb}, files to files, {side}^3", "napari-drdm", *cells)


def _volume(home: Path, side: int) -> tuple[Path, Path]:
    """Balls in a ball, uint8, 1 mm."""
    labels = inputs.ball_labels(side)
    texture = np.random.default_rng(0).integers(0, 20, labels.shape, dtype=np.uint8)
    files = home / "image.nii.gz", home / "labels.nii.gz"
    for data, file in zip((50 * labels + texture, labels), files, strict=True):
        nib.save(nib.Nifti1Image(data, np.eye(4)), file)
    return files
