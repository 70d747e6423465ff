"""Middle slices of patients a model never saw, laid into its grid."""

from __future__ import annotations

import argparse
import re
from collections import defaultdict
from dataclasses import dataclass
from itertools import chain, zip_longest
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from src_core.case import Case
from src_core.errors import InputError
from src_core.fields import enlarge
from src_core.flow import Flow
from src_core.generation.frame import Frame, make_frame
from src_core.io import read_case
from src_core.model import Model
from src_core.recovery import recovery_steps
from src_core.warp import warp

__all__ = ["Subject", "add_data_options", "load_subjects", "recovered"]

RIGHT, MYOCARDIUM, LEFT = 1, 2, 3
BLOCK = 20


@dataclass(frozen=True, eq=False)
class Subject:
    """One slice as a model sees it; masks are shares of a voxel, 0..1.

    Attributes:
        frame: the slice in the model's grid.
        views: the image, (1, 1, *size) in 0..1.
        masks: right ventricle, left cavity and left epicardium, (1, 3, *size).
    """

    frame: Frame
    views: Tensor
    masks: Tensor

    @property
    def name(self) -> str:
        """What the subject is called in tables."""
        return self.frame.case.name

    def warped(self, u: Tensor) -> tuple[Tensor, Tensor]:
        """Image and masks pulled back through a DDF on the state grid, (1, 2, *state)."""
        whole = enlarge(u, self.views.shape[-1] // u.shape[-1])
        return warp(self.views, whole, padding="zeros"), warp(self.masks, whole, padding="zeros")


def recovered(model: Model, views: Tensor, start: Flow, level: int, steps: int) -> Tensor:
    """The recovered DDF, (1, 2, *state), state voxels."""
    *_, last = recovery_steps(model, views, start, level, steps)
    return last.displacement


def add_data_options(parser: argparse.ArgumentParser) -> None:
    """The arguments that say which model meets which cases."""
    parser.add_argument("model", help="a model's name or file")
    parser.add_argument(
        "--data", type=Path, required=True, help="a folder with images/ and labels/, equal names"
    )
    parser.add_argument("--cases", type=int, default=12, help="patients, a slice of each")
    parser.add_argument("--steps", type=int, default=8, help="jumps of the recovery")


def load_subjects(folder: Path, count: int, model: Model) -> list[Subject]:
    """Slices of ``count`` patients, diagnoses and phases taking turns.

    Raises:
        InputError: there are fewer patients.
    """
    patients = _taking_turns(sorted((folder / "images").glob("*.nii*")))
    if len(patients) < count:
        raise InputError(
            f"{len(patients)} patients are too few", where=str(folder), expected=f"{count}"
        )
    chosen = [files[turn % len(files)] for turn, files in enumerate(patients[:count])]
    return [
        _subject(_middle_slice(image, folder / "labels" / image.name), model) for image in chosen
    ]


def _taking_turns(images: list[Path]) -> list[list[Path]]:
    """Files by patient (name up to ``_``): the last patient of each block of 20, then the next."""
    patients: dict[str, list[Path]] = defaultdict(list)
    for path in images:
        patients[path.name.split(".")[0].split("_")[0]].append(path)
    blocks: dict[int, list[list[Path]]] = defaultdict(list)
    for name in sorted(patients, reverse=True):
        number = re.search(r"\d+", name)
        blocks[(int(number[0]) - 1) // BLOCK if number else 0].append(patients[name])
    rounds = zip_longest(*(blocks[b] for b in sorted(blocks)))
    return [files for files in chain.from_iterable(rounds) if files]


def _middle_slice(image: Path, labels: Path) -> Case:
    """The slice with the largest left ventricle, wall and cavity."""
    case = read_case(image, labels)
    marked = case.labels[0].data
    areas = np.isin(marked, (MYOCARDIUM, LEFT)).sum(axis=(0, 1))
    at = slice(int(areas.argmax()), int(areas.argmax()) + 1)
    return Case.from_arrays(
        case.image[:, :, at], marked[:, :, at], affine=case.grid.affine, name=case.name
    )


def _subject(case: Case, model: Model) -> Subject:
    frame = make_frame(case, model.spec, "shared")
    marked = case.labels[0].data[..., 0]
    groups = ((RIGHT,), (LEFT,), (MYOCARDIUM, LEFT))
    masks = [frame.fit.image(np.isin(marked, g).astype(np.float32)) for g in groups]
    return Subject(frame, frame.views(0), torch.cat(masks, dim=1))
