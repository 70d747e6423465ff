"""Deformations of synthetic pairs (paper, Algorithm 4): phi_1 to moving, phi_2 on to fixed.

Two of a kind for each pair, on the model's state grid, in a file for each case: DRDM generates
phi_1 on a slice, or the volume, and phi_2 on what that gave. Multi-resolution B-splines (MRBS) are
random, and as long as DRDM's of the same pair, on average over what the network sees.
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
from src_core.diffusion.random_field import generator
from src_core.errors import InputError
from src_core.evaluation.baseline import bspline
from src_core.evaluation.subjects import framed
from src_core.fields import compose, magnitude
from src_core.generation.model_view import ModelView
from src_core.io import open_atomically
from src_core.io.hashing import sha256_file
from src_core.tasks.registration.window import labelled_units
from src_core.transforms.live import Live
from src_core.transforms.scan import Scan

__all__ = ["SPANS", "Drawn", "Kind", "draw_pairs", "multiresolution", "open_pairs"]

Kind = Literal["drdm", "mrbs"]

#: Spans of MRBS's B-splines over the image, coarse to fine; each moves half as much as the last.
SPANS = (2, 4, 8)
# MRBS is scaled in so many turns at most, until it moves as much but for this share.
_TURNS, _NEAR = 10, 1e-3
_FIELDS = ("first", "second")
_KEY = "drdm-pairs"


@dataclass(frozen=True)
class Drawn:
    """Deformations of the pairs of one case, read when they are asked for.

    Attributes:
        units: the slice of each pair; 0 for a volume.
    """

    path: Path
    units: tuple[int, ...]

    def fields(self, index: int) -> list[Tensor]:
        """Of phi_1 and phi_2 of a pair: (1, D, *state) each, state voxels."""
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
    """Make the deformations of a case's pairs, of either kind; those that are there are kept.

    Raises:
        InputError: the case cannot be read, or does not fit the model.
    """
    facts = _facts(entry, live, count, levels, seed)
    ours, theirs = (_path(folder, name, kind) for kind in ("drdm", "mrbs"))
    if _facts_of(ours) != facts:
        _keep(ours, facts, *_generated(entry, name, live, count, levels, seed))
    facts += repr((SPANS, part))
    if _facts_of(theirs) != facts:
        drawn = open_pairs(folder, name, "drdm")
        both = [
            [multiresolution(u, seed, zlib.crc32(name.encode()), index, turn, part=part)[0].numpy()
             for index, u in enumerate(fields)]
            for turn, fields in enumerate(zip(*map(drawn.fields, range(count)), strict=True))
        ]  # fmt: skip
        _keep(theirs, facts, drawn.units, *both)


def open_pairs(folder: Path, name: str, kind: Kind) -> Drawn:
    """What ``draw_pairs`` made of a case."""
    path = _path(folder, name, kind)
    with safe_open(path, framework="np") as file:
        return Drawn(path, tuple(file.get_tensor("unit").tolist()))


def _generated(
    entry: Entry, name: str, live: Live, count: int, levels: Levels, seed: int
) -> tuple[list[int], list[NDArray[np.float32]], list[NDArray[np.float32]]]:
    view, marked = framed(entry, live.loaded().spec)
    units, where = labelled_units(marked), list[int]()
    first, second = list[NDArray[np.float32]](), list[NDArray[np.float32]]()
    for index in range(count):
        one, two = (draw(seed, name, 2 * index + turn, levels) for turn in (1, 2))
        where.append(units[one[1] % len(units)])
        fields = _both(_scan(view, where[-1], name), live, one, two)
        first.append(fields[0])
        second.append(fields[1])
    return where, first, second


def _keep(
    path: Path, facts: str, units: Sequence[int], first: Sequence[Any], second: Sequence[Any]
) -> None:
    stacks = (np.ascontiguousarray(np.stack(values)) for values in (first, second))
    fields = dict(zip(_FIELDS, stacks, strict=True))  # safetensors writes memory as it lies
    with open_atomically(path) as file:
        file.write(save({"unit": np.array(units), **fields}, {_KEY: facts}))


def _path(folder: Path, name: str, kind: Kind) -> Path:
    return folder / f"{name}.{kind}.safetensors"


def multiresolution(like: Tensor, *seeds: int, part: float = 1.0) -> Tensor:
    """A random multi-resolution B-spline that moves as much as another field, on average.

    Args:
        like: (1, D, *state), state voxels.
        seeds: of the draws.
        part: of the grid along each axis, about its centre, over which both move as much.

    Returns:
        (1, D, *state), state voxels: cubic B-splines of ``SPANS``, composed from coarse to fine.
    """
    ndim, state, source = like.shape[1], like.shape[-1], generator(*seeds)
    splines = []
    for turn, spans in enumerate(SPANS):
        drawn = torch.rand(ndim, *[spans + 3] * ndim, generator=source, dtype=torch.float64)
        field = torch.from_numpy(bspline((2 * drawn - 1).numpy(), state))
        splines.append(field[None].to(like.dtype) / 2**turn)
    wanted, scale, u = _mean_length(like, part), 1.0, like
    for _ in range(_TURNS):
        u = torch.zeros_like(like)
        for spline in splines:
            u = compose(u, scale * spline)
        ratio = wanted / max(_mean_length(u, part), 1e-9)
        if abs(ratio - 1) < _NEAR:
            break
        scale *= ratio
    return u


def _mean_length(u: Tensor, part: float) -> float:
    rim = round(u.shape[-1] * (1 - part) / 2)
    inner = slice(rim, u.shape[-1] - rim)
    return float(magnitude(u)[(slice(None), *[inner] * u.shape[1])].mean())


def _both(
    scan: Scan, live: Live, one: tuple[int, int], two: tuple[int, int]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    first = live.make(scan, *one)
    values = torch.from_numpy(np.ascontiguousarray(scan.image))[None].float()
    moved = first.on(scan.grid).image(values)[0].numpy()
    second = live.make(Scan(moved, scan.grid, scan.name), *two)
    return first.u[0], second.u[0]


def _scan(view: ModelView, unit: int, name: str) -> Scan:
    """One slice of a case, or the volume, as stored; of a cine its first frame."""
    values = _first_frame(view.case)
    if view.axis is None:
        return Scan(values, view.case.grid, name)
    grid = view.case.grid
    x, y, z = (1 if a == view.axis else n for a, n in enumerate(grid.shape))
    return Scan(values.take([unit], view.axis), Grid((x, y, z), grid.affine), name)


def _first_frame(case: Case) -> NDArray[Any]:
    return case.image[..., 0] if case.image.ndim == 4 else case.image


def _facts(entry: Entry, live: Live, count: int, levels: Levels, seed: int) -> str:
    told = levels if isinstance(levels, tuple) else sorted(levels.items())
    return json.dumps(
        {
            "files": [p and sha256_file(p) for p in (entry.image, entry.labels)],
            "model": live.loaded().sha256,
            "steps": live.steps,
            "count": count,
            "levels": told,
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
