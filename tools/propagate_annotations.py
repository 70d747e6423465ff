"""Carry the annotations of end diastole and end systole to every frame of their cines.

    python tools/propagate_annotations.py ../shared/data/sunnybrook labels.npz

Each labelled slice of the two annotated frames is registered with every other frame by demons
(Thirion 1998, doi:10.1016/S1361-8415(98)80022-4); the two warped labels are mixed by time.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

ANNOTATIONS = Path(__file__).resolve().parents[1] / "resources" / "annotations" / "sunnybrook"
PHASES = ("ED", "ES")
LABELS = range(4)  # background, cavity of the right ventricle, myocardium, cavity of the left
MARGIN = 10  # pixels kept around the labels of a slice
Array = NDArray[Any]


def main() -> None:
    """Write the labels of every subject with frames and geometry, and print volumes in ml."""
    options = _parser().parse_args()
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    found = key_frames(options.cines / "index.csv")
    written: dict[str, Any] = {}
    for subject in options.subjects or sorted(found):
        image = nib.load(options.cines / f"{subject}_cine.nii.gz")
        keys = [
            np.asarray(nib.load(options.annotations / f"{subject}_{phase}.nii.gz").dataobj)
            for phase in PHASES
        ]
        frames = found[subject]
        labels = propagate(np.asarray(image.dataobj, dtype=np.float32), keys, frames)
        written |= {f"{subject}_{name}": key for name, key in zip(PHASES, keys, strict=True)}
        written |= {f"{subject}_{p}_frame": f for p, f in zip(PHASES, frames, strict=True)}
        written[f"{subject}_frames"] = labels
        written[f"{subject}_affine"] = image.affine
        written[f"{subject}_spacing_mm"] = np.array(image.header.get_zooms()[:3])
        for phase, key in zip(PHASES, keys, strict=True):
            print(subject, phase, *(f"{ml:.0f}" for ml in volumes(key, image.affine)), flush=True)
    np.savez_compressed(options.out, **written)


def key_frames(index: Path) -> dict[str, tuple[int, int]]:
    """The frame of end diastole and that of end systole, for each subject of the index."""
    with index.open(newline="", encoding="utf-8") as file:
        rows = {
            (row["subject"], row["phase"]): int(row["frame_index0"]) for row in csv.DictReader(file)
        }
    return {subject: (rows[subject, "ED"], rows[subject, "ES"]) for subject, _ in rows}


def volumes(label: Array, affine: Array) -> list[float]:
    """Millilitres of the right cavity, the myocardium and the left cavity."""
    voxel = abs(np.linalg.det(affine[:3, :3])) / 1000
    return [float((label == k).sum() * voxel) for k in LABELS[1:]]


def propagate(cine: Array, keys: list[Array], frames: tuple[int, int]) -> Array:
    """Labels (x, y, z, t) of a cine (x, y, z, t) from those of two frames, each (x, y, z)."""
    made = np.zeros(cine.shape, np.uint8)
    for z in np.flatnonzero((keys[0] > 0).any((0, 1)) | (keys[1] > 0).any((0, 1))):
        box = _around((keys[0][:, :, z] > 0) | (keys[1][:, :, z] > 0))
        warped = [
            _carried(cine[(*box, z)], key[(*box, z)], frame)
            for key, frame in zip(keys, frames, strict=True)
        ]
        for t in range(cine.shape[3]):
            share = part_of_the_way(t, frames, cine.shape[3])
            mixed = (1 - share) * warped[0][t] + share * warped[1][t]
            made[(*box, z, t)] = mixed.argmax(0)
    for key, frame in zip(keys, frames, strict=True):
        made[..., frame] = key
    return made


def part_of_the_way(t: int, frames: tuple[int, int], period: int) -> float:
    """How far frame ``t`` of a cycle lies on its way from the first frame to the second, 0 to 1."""
    first, second = frames
    there, along = (second - first) % period, (t - first) % period
    return along / there if along <= there else (period - along) / (period - there)


def _around(mask: Array) -> tuple[slice, slice]:
    places = np.argwhere(mask)
    low, high = np.maximum(places.min(0) - MARGIN, 0), places.max(0) + MARGIN + 1
    return slice(low[0], high[0]), slice(low[1], high[1])


def _carried(slices: Array, label: Array, frame: int) -> list[Array]:
    """Smooth masks (label, x, y) at every time of slices (x, y, t) from one frame's labels."""
    period = slices.shape[2]
    masks = np.stack([gaussian_filter((label == k).astype(np.float32), 0.7) for k in LABELS])
    carried = [masks] * period
    for step, count in ((1, period // 2), (-1, (period - 1) // 2)):
        field = None
        for k in range(1, count + 1):
            t = (frame + step * k) % period
            field = _register(slices[:, :, t], slices[:, :, frame], field)
            carried[t] = np.stack([_warp(one, field) for one in masks])
    return carried


def _register(fixed: Array, moving: Array, start: sitk.Image | None) -> sitk.Image:
    """Where each pixel of the fixed slice lies in the moving one; pixels."""
    scale = 100 / max(float(np.percentile(fixed, 99)), 1.0)
    pair = [sitk.GetImageFromArray(gaussian_filter(one, 0.7) * scale) for one in (fixed, moving)]
    demons = sitk.FastSymmetricForcesDemonsRegistrationFilter()
    demons.SetNumberOfIterations(25)
    demons.SetStandardDeviations(1.8)
    demons.SetSmoothUpdateField(True)
    demons.SetUpdateFieldStandardDeviations(1.0)
    return demons.Execute(*pair, start) if start is not None else demons.Execute(*pair)


def _warp(masks: Array, field: sitk.Image) -> Array:
    moved = sitk.Warp(sitk.GetImageFromArray(masks), field, sitk.sitkLinear)
    return sitk.GetArrayFromImage(moved)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("cines", type=Path, help="a folder with SUBJECT_cine.nii.gz and index.csv")
    parser.add_argument("out", type=Path, help="the .npz to write")
    parser.add_argument("--annotations", type=Path, default=ANNOTATIONS)
    parser.add_argument("--subjects", nargs="+", help="all of them without it")
    return parser


if __name__ == "__main__":
    main()
