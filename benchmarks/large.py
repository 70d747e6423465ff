"""Cost of a large volume: seconds and peak memory of a new case, and of applying its field.

python -m benchmarks.large --model resources/restricted/hippocampus.safetensors --side 256
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

import nibabel as nib
import numpy as np

from benchmarks.running import measured

_LEVEL = "30"


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--model", type=Path, required=True, help="A 3D model's file.")
    parser.add_argument("--side", type=int, default=256)
    options = parser.parse_args(arguments)
    print(f"{f'{options.side}^3':>10}{'s':>10}{'peak MiB':>10}")
    with tempfile.TemporaryDirectory() as place:
        home = Path(place)
        image, labels = _volume(home, options.side)
        files = [str(image), "--labels", str(labels)]
        model = ["--model", str(options.model), "--device", "cpu", "--level", _LEVEL]
        field = str(home / "new" / "displacement.nii.gz")
        for verb, words in (
            ("generate", [*files, *model, "--out", str(home / "new")]),
            ("apply", [field, *files, "--out", str(home / "moved")]),
        ):
            seconds, peak = measured([verb, *words])
            print(f"{verb:>10}{seconds:>10.0f}{peak / 2**20:>10.0f}", flush=True)


def _volume(home: Path, side: int) -> tuple[Path, Path]:
    """A ball in a ball, uint8, 1 mm."""
    axis = np.linspace(-1, 1, side, dtype=np.float32) ** 2
    distance = np.sqrt(axis[:, None, None] + axis[:, None] + axis)
    labels = (distance < 0.6).astype(np.uint8) + (distance < 0.3)
    image = (60 * labels + 20 * (1 + np.sin(20 * distance))).astype(np.uint8)
    files = home / "image.nii.gz", home / "labels.nii.gz"
    for data, file in zip((image, labels), files, strict=True):
        nib.save(nib.Nifti1Image(data, np.eye(4)), file)
    return files


if __name__ == "__main__":
    main()
