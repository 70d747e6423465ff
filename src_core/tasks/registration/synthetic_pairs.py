"""Deformations of synthetic pairs (paper, Algorithm 4): phi_1 to moving, phi_2 on to fixed.

A file for each case and kind holds both for each pair, on the model's state grid. DRDM generates
phi_1 on a slice, or the volume, and phi_2 on the image that phi_1 gave. Multi-resolution B-splines
(MRBS) are random, with the mean length of DRDM's of the same pair over the network's window.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save
from torch import Tensor

from src_core.augment.levels import Levels, draw
from src_core.cases.case import Case
from src_core.cases.grid import Grid
from src_core.datasets.reading import Entry
from src_core.diffusion.bspline_field import SPANS, multiresolution_ddf
from src_core.errors import InputError
from src_core.evaluation.cases import read_in_grid
from src_core.generation.model_view import ModelView
from src_core.io import open_atomically
from src_core.tasks.registration.packed_cases import file_digests, is_packed
from src_core.tasks.registration.window import labelled_slabs
from src_core.transforms.live import Live
from src_core.transforms.scan import Scan

__all__ = ["Kind", "PairFields", "draw_pairs", "open_pairs"]

Kind = Literal["drdm", "mrbs"]

_FIELDS = ("first", "second")
_KEY = "drdm-pairs"


@dataclass(frozen=True)
class PairFields:
    """Deformations of the pairs of one case, read from their file on use.

    Attributes:
        slabs: the slice of each pair; 0 for a volume.
    """

    path: Path
    slabs: tuple[int, ...]

    def read(self, index: int) -> list[Tensor]:
        """The DDFs of phi_1 and phi_2 of a pair: (1, D, *state) each, state voxels."""
        with safe_open(self.path, framework="pt") as file:
            return [file.get_slice(key)[index : index + 1] for key in _FIELDS]


def draw_pairs(
    entry: Entry,
    name: str,
    folder: Path,
    live: Live,
    count: int,
    levels: Levels,
    seed: int,
    part: float = 1.0,
) -> None:
    """Make the deformations of a case's pairs, of either kind; those in the folder are kept.

    Raises:
        InputError: the case cannot be read, or does not fit the model; or it is packed, and the
            folder has no such deformations of it.
    """
    facts = _facts(entry, live, count, levels, seed)
    generated, splines = (_path(folder, name, kind) for kind in ("drdm", "mrbs"))
    if _facts_of(generated) != facts:
        if is_packed(entry):
            raise InputError(
                "its deformations were made with other options, or are absent",
                where=name,
                do="prepare it again from its images",
            )
        _keep(generated, facts, *_generated(entry, name, live, count, levels, seed))
    facts += repr((SPANS, part))
    if _facts_of(splines) != facts:
        fields = open_pairs(folder, name, "drdm")
        seeds = seed, zlib.crc32(name.encode())
        both = [
            [
                multiresolution_ddf(u, *seeds, index, turn, part=part)[0].numpy()
                for index, u in enumerate(of_turn)
            ]
            for turn, of_turn in enumerate(zip(*map(fields.read, range(count)), strict=True))
        ]
        _keep(splines, facts, fields.slabs, *both)


def open_pairs(folder: Path, name: str, kind: Kind) -> PairFields:
    """The deformations that ``draw_pairs`` made of a case."""
    path = _path(folder, name, kind)
    with safe_open(path, framework="np") as file:
        return PairFields(path, tuple(file.get_tensor("unit").tolist()))


def _generated(
    entry: Entry, name: str, live: Live, count: int, levels: Levels, seed: int
) -> tuple[list[int], list[NDArray[np.float32]], list[NDArray[np.float32]]]:
    view, label_stack = read_in_grid(entry, live.loaded().spec)
    slabs, where = labelled_slabs(label_stack), list[int]()
    first, second = list[NDArray[np.float32]](), list[NDArray[np.float32]]()
    for index in range(count):
        one, two = (draw(seed, name, 2 * index + turn, levels) for turn in (1, 2))
        where.append(slabs[one[1] % len(slabs)])
        labels = label_stack if live.variety else None
        fields = _both(_scan(view, where[-1], name, labels), live, one, two)
        first.append(fields[0])
        second.append(fields[1])
    return where, first, second


def _keep(
    path: Path, facts: str, slabs: Sequence[int], first: Sequence[Any], second: Sequence[Any]
) -> None:
    stacks = (np.ascontiguousarray(np.stack(values)) for values in (first, second))
    fields = dict(zip(_FIELDS, stacks, strict=True))  # safetensors needs C order
    with open_atomically(path) as file:
        file.write(save({"unit": np.array(slabs), **fields}, {_KEY: facts}))


def _path(folder: Path, name: str, kind: Kind) -> Path:
    return folder / f"{name}.{kind}.safetensors"


def _both(
    scan: Scan, live: Live, one: tuple[int, int], two: tuple[int, int]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    first = live.make(scan, *one)
    values = torch.from_numpy(np.ascontiguousarray(scan.image))[None].float()
    on = first.on(scan.grid)
    moved, labels = on.image(values)[0].numpy(), scan.labels
    if labels is not None:
        labels = on.labels(torch.from_numpy(labels)[None])[0].numpy()
    second = live.make(Scan(moved, scan.grid, scan.name, labels), *two)
    return first.u[0], second.u[0]


def _scan(
    view: ModelView, slab: int, name: str, label_stack: NDArray[np.integer] | None = None
) -> Scan:
    """One slice of a case, or the volume, as stored; of a cine its first frame.

    Args:
        label_stack: (slabs, *plane), the labels that the scan gets.
    """
    values = _first_frame(view.case)
    labels = None if label_stack is None else np.ascontiguousarray(label_stack, np.int64)
    if view.axis is None:
        return Scan(values, view.case.grid, name, None if labels is None else labels[0])
    grid = view.case.grid
    x, y, z = (1 if a == view.axis else n for a, n in enumerate(grid.shape))
    if labels is not None:
        labels = np.expand_dims(labels[slab], view.axis)
    return Scan(values.take([slab], view.axis), Grid((x, y, z), grid.affine), name, labels)


def _first_frame(case: Case) -> NDArray[Any]:
    return case.image[..., 0] if case.image.ndim == 4 else case.image


def _facts(entry: Entry, live: Live, count: int, levels: Levels, seed: int) -> str:
    shown = levels if isinstance(levels, tuple) else sorted(levels.items())
    variety = {} if live.variety is None else {"variety": live.variety}
    return json.dumps(
        {
            **variety,
            "files": file_digests(entry),
            "model": live.loaded().sha256,
            "steps": live.steps,
            "count": count,
            "levels": shown,
            "seed": seed,
        }
    )


def _facts_of(path: Path) -> str:
    if not path.is_file():
        return ""
    try:
        with safe_open(path, framework="np") as file:
            return str((file.metadata() or {}).get(_KEY, ""))
    except (SafetensorError, OSError) as error:
        raise InputError(
            "the file cannot be read", where=str(path), do="delete it, it will be made again"
        ) from error
