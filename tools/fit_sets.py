"""Images that fit the shipped models and images that do not, from the development data.

    python tools/fit_sets.py DATA FOLDER
    drdm models fit cardiac-sax FOLDER/cardiac.csv

Writes ``cardiac.csv``, ``hippocampus.csv`` and ``thorax.csv`` with test subjects, and their images.
"""

from __future__ import annotations

import argparse
import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from scipy import ndimage

Rows = list[tuple[str, str, str]]
PHOTOGRAPHS = "coffee camera astronaut page moon retina ihc rocket chelsea coins cell"
TEXTURES = "gravel brick grass text hubble_deep_field horse"


class Sets:
    """Images in a folder, and the rows of a CSV that lists them."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.rows, self.count = folder, Rows(), 0

    def file(self, kind: str, fits: str, path: Path) -> None:
        """An image that is a file already."""
        self.rows.append((str(path.resolve()), kind, fits))

    def array(self, kind: str, fits: str, values: np.ndarray, affine: np.ndarray) -> None:
        """An image to write."""
        self.count += 1
        path = self.folder / f"{self.count:04d}.nii.gz"
        nib.save(nib.Nifti1Image(values.astype(np.float32), affine), path)
        self.rows.append((path.name, kind, fits))

    def close(self, name: str) -> None:
        """Write the CSV and begin another."""
        with (self.folder / name).open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([("image", "kind", "fits"), *self.rows])
        self.rows = []


def main() -> None:
    """Write all three sets."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    sets, data = Sets(options.folder), options.data
    cardiac(sets, data)
    hippocampus(sets, data)
    thorax(sets, data)


def cardiac(sets: Sets, data: Path) -> None:
    """Hearts of the ACDC test patients (13 to 16 of each block of 20), and what is none."""
    rng = np.random.default_rng(0)
    for path in sorted((data / "acdc" / "images").glob("*.nii.gz")):
        patient = int(re.findall(r"\d+", path.name)[0])
        if not 12 < (patient - 1) % 20 + 1 <= 16:
            continue
        sets.file("ACDC, test patients", "yes", path)
        values, affine = read(path)
        sets.array("ACDC, as by other scanners", "yes", *other_scanner(values, affine, rng))
        if path.name.endswith("frame01.nii.gz"):
            sets.array("ACDC, turned by 90 degrees", "neither", np.rot90(values).copy(), affine)
    for path in sorted((data / "sunnybrook").glob("*fullfov.nii.gz")):
        sets.file("Sunnybrook (trained on)", "neither", path)
    others(sets, data, rng, volumes=False)
    sets.close("cardiac.csv")


def hippocampus(sets: Sets, data: Path) -> None:
    """Test crops (12 to 15 of every 16), and crops of other places of brains."""
    rng = np.random.default_rng(1)
    for index, path in enumerate(sorted((data / "hippocampus" / "images").glob("*.nii.gz"))):
        if index % 16 >= 12:
            sets.file("hippocampus, test subjects", "yes", path)
    for kind, (values, affine, labels) in brains(data, rng):
        for part in crops(labels, rng):
            sets.array(f"{kind}, other places", "no", values[part], affine)
    others(sets, data, rng, volumes=True)
    for path in sorted((data / "acdc" / "images").glob("*frame01.nii.gz"))[12::20]:
        sets.file("cardiac stacks", "no", path)
    chests(sets, data, "no")
    sets.close("hippocampus.csv")


def thorax(sets: Sets, data: Path) -> None:
    """One scan that was not trained on, whole and in parts, and what is no chest."""
    rng = np.random.default_rng(2)
    values, affine = read(data / "lung_ct" / "CIP_ct-64.nii.gz")
    for share in (1.0, 0.95, 0.9, 0.85):
        for _ in range(1 if share == 1 else 3):
            first = [int(rng.integers(0, n - int(n * share) + 1)) for n in values.shape]
            part = tuple(
                slice(a, a + int(n * share)) for a, n in zip(first, values.shape, strict=True)
            )
            sets.array("one chest CT, in parts", "yes", values[part], affine)
    others(sets, data, rng, volumes=True)
    for path in sorted((data / "hippocampus" / "images").glob("*.nii.gz"))[::12]:
        sets.file("hippocampus", "no", path)
    for path in sorted((data / "acdc" / "images").glob("*frame01.nii.gz"))[12::20]:
        sets.file("cardiac stacks", "no", path)
    sets.close("thorax.csv")


def others(sets: Sets, data: Path, rng: np.random.Generator, volumes: bool) -> None:
    """Images that fit none of the models: slices, or volumes."""
    for kind, (values, affine, _) in brains(data, rng):
        if volumes:
            sets.array(kind, "no", values, affine)
            continue
        for axis in range(3):
            for index in np.linspace(0.3, 0.7, 3):
                plane = np.take(values, int(index * values.shape[axis]), axis)
                sets.array(f"{kind}, slices", "no", plane[..., None], np.eye(4))
    for row in rows_of(data / "head_neck_ct" / "index.csv", split="test"):
        sets.file("head and neck CT", "no", data / "head_neck_ct" / row["image"])
    noises(sets, rng, volumes)
    if volumes:
        return
    chests(sets, data, "no")
    for row in rows_of(data / "thorax_mr" / "index.csv")[::2]:
        kind = f"chest MR localizers, {row['plane']}"
        sets.file(kind, "no", data / "thorax_mr" / row["image"])
    for path in sorted((data / "hippocampus" / "images").glob("*.nii.gz"))[12::16]:
        sets.file("hippocampus", "no", path)
    pictures(sets, rng)


def chests(sets: Sets, data: Path, fits: str) -> None:
    """Chest CTs."""
    for path in sorted((data / "lung_ct").glob("*.nii.gz")):
        if not path.name.endswith("_lungs.nii.gz"):
            sets.file("chest CT", fits, path)


def brains(data: Path, rng: np.random.Generator) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """Label maps painted at random, and one real scan."""
    for path in sorted((data / "brain_labels").glob("*.nii.gz"))[9:]:
        labels, affine = read(path)
        yield "painted brains", (painted(labels.astype(int), rng), affine, labels)
    with np.load(data / "brain" / "test_scan.npz") as file:
        yield "a T1 brain", (file["vol"].squeeze(), np.eye(4), file["seg"].squeeze())


def painted(labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A random grey value for each label, with noise, blur and a bias field."""
    greys = rng.uniform(0, 1, 1024)
    greys[0] = rng.uniform(0, 0.05)
    values = greys[labels] + rng.normal(0, 0.03, labels.shape)
    values = ndimage.gaussian_filter(values, rng.uniform(0.4, 1.0))
    field = ndimage.zoom(rng.normal(0, 0.15, (4, 4, 4)), [n / 4 for n in labels.shape], order=1)
    return values * np.exp(field)


def crops(labels: np.ndarray, rng: np.random.Generator) -> Iterator[tuple[slice, ...]]:
    """Four boxes of 40 x 50 x 40 voxels in a head, without its hippocampi (17 and 53)."""
    found = 0
    while found < 4:
        ends = [(int(rng.integers(0, n - side)), side) for n, side in zip(
            labels.shape, (40, 50, 40), strict=True)]  # fmt: skip
        part = tuple(slice(first, first + side) for first, side in ends)
        if np.isin(labels[part], (17, 53)).sum() < 50 and (labels[part] > 0).mean() > 0.5:
            found += 1
            yield part


def other_scanner(
    values: np.ndarray, affine: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Another intensity curve, bias field, blur, noise, resolution and field of view, in plane."""
    low, high = np.percentile(values, [0.5, 99.5])
    found = np.clip((values - low) / (high - low), 0, 1) ** np.exp(rng.uniform(-0.5, 0.5))
    field = ndimage.zoom(rng.normal(0, 0.3, (3, 3, 1)), [values.shape[0] / 3, values.shape[1] / 3,
                         values.shape[2]], order=1)  # fmt: skip
    found = found * np.exp(field)
    found = ndimage.gaussian_filter(found, [sigma := rng.uniform(0, 1.2), sigma, 0])
    coarser = rng.uniform(0.6, 1.3)
    found = ndimage.zoom(found, [coarser, coarser, 1], order=1)
    found = found + rng.normal(0, rng.uniform(0, 0.04), found.shape)
    cut = [int(n * rng.uniform(0, 0.1)) for n in found.shape[:2]]
    found = found[cut[0] : found.shape[0] - cut[0], cut[1] : found.shape[1] - cut[1]]
    return found, affine @ np.diag([1 / coarser, 1 / coarser, 1, 1])


def noises(sets: Sets, rng: np.random.Generator, volumes: bool) -> None:
    """Gaussian noise of several scales; images of one value but for one voxel."""
    shape = (64, 64, 64) if volumes else (200, 220, 1)
    for sigma in (0, 0, 0.5, 1, 1, 2, 2, 4, 4, 8):
        noise = rng.normal(size=shape)
        blur = (sigma, sigma, sigma if volumes else 0)
        sets.array("noise", "no", ndimage.gaussian_filter(noise, blur), np.eye(4))
    for index in range(5):
        flat = np.zeros(shape)
        flat[index, 0, 0] = 1
        sets.array("one value", "no", flat, np.eye(4))


def pictures(sets: Sets, rng: np.random.Generator) -> None:
    """Photographs and textures of scikit-image, whole and their middle, where it is installed."""
    try:
        import skimage
        from PIL import Image
    except ImportError:
        return
    for name in (PHOTOGRAPHS + " " + TEXTURES).split():
        kind = "photographs" if name in PHOTOGRAPHS.split() else "textures and text"
        for path in sorted((Path(skimage.__file__).parent / "data").glob(f"{name}.*g")):
            grey = np.asarray(Image.open(path).convert("L"), np.float32).T
            grey = grey[:: max(1, grey.shape[0] // 512), :: max(1, grey.shape[1] // 512)]
            rows, columns = (n // 4 for n in grey.shape)
            for part in (grey, grey[rows:-rows, columns:-columns]):
                sets.array(kind, "no", part[..., None], np.eye(4))


def rows_of(path: Path, split: str = "") -> list[dict[str, str]]:
    """Rows of an index, of one split."""
    with path.open(newline="", encoding="utf-8") as file:
        return [row for row in csv.DictReader(file) if not split or row["split"] == split]


def read(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Values and affine of a NIfTI file."""
    image: Any = nib.load(path)
    return np.asarray(image.dataobj, np.float32), image.affine


if __name__ == "__main__":
    main()
