"""``RandDRDM``: a dictionary transform for MONAI, invertible, with random numbers of its own."""

from __future__ import annotations

import os
from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from monai.config import KeysCollection
from monai.data import MetaTensor, get_track_meta
from monai.transforms import InvertibleTransform, MapTransform, RandomizableTransform
from monai.utils import ImageMetaKey, TraceKeys, convert_to_dst_type, convert_to_tensor
from monai.utils.misc import ensure_tuple, ensure_tuple_rep
from torch import Tensor
from torch.utils.data import get_worker_info

from src_core.errors import ArgumentError
from src_core.generation.intensities import Intensities
from src_core.generation.pose import Pose
from src_core.io.hashing import sha256_array
from src_core.transforms.changes import RandomChanges
from src_core.transforms.deformation import Deformation
from src_core.transforms.placed import Placed
from src_core.transforms.points import PointSpace, checked_space, deformed_points
from src_core.transforms.scan import grid_for, volumes
from src_core.transforms.sources import Source, as_source
from src_core.transforms.tensors import as_scan

__all__ = ["RandDRDM", "RandDRDMDict", "RandDRDMd"]

_MODES = {"bilinear": "linear", "bicubic": "cubic", "nearest": "nearest"}
# Modes of keys whose intensities may change.
_IMAGES = ("bilinear", "bicubic")


class RandDRDMd(RandomizableTransform, MapTransform, InvertibleTransform):
    """One deformation for all keys of a sample: a plausible new anatomy with its labels.

    Items are channel first, 2D or 3D; with affines, they may have different grids.
    Types and affines stay as they are. The network sees the first channel of the first key.

    Args:
        keys: of images and labels.
        source: ``Live``, ``Bank``, or a model's name, a model's file or a bank's folder.
        mode: for each key or for all: ``bilinear``, ``bicubic`` (2D models), ``nearest``, or
            ``label`` for whole numbers (one-hot linear argmax).
        prob: of a deformation, with what is drawn beside it.
        case_key: the key that names the case for a bank; None for the first key's file.
        allow_missing_keys: pass over keys that a sample lacks.
        pose: draw a rotation, scale, shift and flip too, in one sampling with the deformation:
            ranges, or ``nnunet`` or ``small``.
        intensity: change intensities of ``bilinear`` and ``bicubic`` keys too: ranges, or
            ``nnunet``. ``inverse`` does not undo them.
        point_keys: of points that move along, (..., 3), or (..., 2) of pictures.
        point_space: of their coordinates: ``RAS`` or ``LPS``, mm, or ``voxels`` of the first key.
    """

    def __init__(
        self,
        keys: KeysCollection,
        source: Source | str | Path,
        mode: str | Sequence[str] = "bilinear",
        prob: float = 0.1,
        case_key: Hashable | None = None,
        allow_missing_keys: bool = False,
        pose: Pose | str | None = None,
        intensity: Intensities | str | None = None,
        point_keys: KeysCollection = (),
        point_space: PointSpace = "RAS",
    ) -> None:
        MapTransform.__init__(self, keys, allow_missing_keys)
        RandomizableTransform.__init__(self, prob)
        self.source = as_source(source)
        self.mode: tuple[str, ...] = ensure_tuple_rep(mode, len(self.keys))
        if wrong := [m for m in self.mode if m not in (*_MODES, "label")]:
            raise ArgumentError(
                f"RandDRDMd() 'mode' must be of {', '.join([*_MODES, 'label'])}, got {wrong[0]!r}"
            )
        self.case_key = case_key
        self.changes = RandomChanges.of(pose, intensity)
        self.point_keys: tuple[Hashable, ...] = ensure_tuple(point_keys)
        self.point_space = checked_space(point_space)
        self._process = os.getpid()

    def set_random_state(
        self, seed: int | None = None, state: np.random.RandomState | None = None
    ) -> RandDRDMd:
        """As in MONAI."""
        super().set_random_state(seed, state)
        self._process = os.getpid()
        return self

    def randomize(self, data: Any) -> None:
        """Decide whether to deform, by a random generator of each worker's own."""
        worker = get_worker_info()
        if worker is not None and self._process != os.getpid():
            # a plain torch loader copies R into every worker, MONAI's sets it there
            own = int(self.R.randint(2**31))
            self.set_random_state(seed=(own + worker.seed) % 2**32)
        super().randomize(data)

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """The sample, deformed or not; either way its items are tensors and traced."""
        d = dict(data)
        first = self.first_key(d)
        if first == ():
            return d
        self.randomize(None)
        tensors = {k: convert_to_tensor(d[k], track_meta=get_track_meta()) for k in self._there(d)}
        deformation = self._draw(d, tensors, first) if self._do_transform else None
        channel = 0
        for key, mode in zip(self.keys, self.mode, strict=True):
            if key in tensors:
                d[key] = self._moved(tensors[key], tensors[first], deformation, mode, channel)
                channel += len(tensors[key]) if mode in _IMAGES else 0
        if deformation is not None:
            self._move_points(d, deformation, tensors[first], inverse=False)
        return d

    def inverse(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Undo it: each item through the true inverse of its deformation."""
        d = dict(data)
        known: dict[str, Placed] = {}
        first = self.first_key(d)
        for key in self.key_iterator(d):
            trace = self.pop_transform(d[key])
            if not trace[TraceKeys.DO_TRANSFORM]:
                continue
            extra = trace[TraceKeys.EXTRA_INFO]
            placed = _back(d[key], extra, known)
            if key == first:
                undone = Deformation.from_dict(extra["deformation"])
                self._move_points(d, undone, d[key], inverse=True)
            d[key] = _through(placed, d[key], extra["mode"])
        return d

    def _move_points(
        self, d: dict[Hashable, Any], deformation: Deformation, first: Tensor, inverse: bool
    ) -> None:
        """Points of all their keys, each as the type that it came in."""
        affine = _grid(first, _affine(first)).affine
        for key in self.point_keys:
            if key not in d and self.allow_missing_keys:
                continue
            given = convert_to_tensor(d[key], track_meta=False)
            moved = deformed_points(given, deformation, affine, self.point_space, inverse)
            d[key] = convert_to_dst_type(moved, d[key], dtype=moved.dtype)[0]

    def _there(self, d: Mapping[Hashable, Any]) -> list[Hashable]:
        return list(self.key_iterator(d))

    def _draw(
        self, d: Mapping[Hashable, Any], tensors: Mapping[Hashable, Tensor], key: Hashable
    ) -> Deformation:
        first = tensors[key]
        name = _file_of(first) if self.case_key is None else str(d[self.case_key])
        scan = as_scan(_plain(first), _affine(first), name=name)
        deformation = self.source(scan, self._below)
        modes = dict(zip(self.keys, self.mode, strict=True))
        channels = sum(len(t) for k, t in tensors.items() if modes[k] in _IMAGES)
        return self.changes.drawn(deformation, self._below, channels)

    def _below(self, n: int) -> int:
        return int(self.R.randint(n, dtype=np.int64))

    def _moved(
        self,
        tensor: Tensor,
        first: Tensor,
        deformation: Deformation | None,
        mode: str,
        channel: int,
    ) -> Tensor:
        if deformation is None:
            out, extra = tensor.clone(), {}
        else:
            known = tensor if isinstance(tensor, MetaTensor) else first
            affine = _affine(known)
            placed = deformation.on(_grid(tensor, affine))
            change = partial(deformation.changed, first=channel) if mode in _IMAGES else None
            out = _through(placed, tensor, mode, change)
            extra = {"mode": mode, "deformation": deformation.as_dict()}
        self.push_transform(out, extra_info=extra)  # type: ignore[no-untyped-call]
        return out


RandDRDM = RandDRDMDict = RandDRDMd


def _through(
    placed: Placed, tensor: Tensor, mode: str, change: Callable[[Tensor], Tensor] | None = None
) -> Tensor:
    values = volumes(_plain(tensor))
    if mode == "label":
        return _like(placed.labels(values), tensor)
    return _like(placed.image(values, _MODES[mode], change), tensor)  # type: ignore[arg-type]


def _like(moved: Tensor, tensor: Tensor) -> Tensor:
    return convert_to_dst_type(moved.reshape(tensor.shape), tensor, dtype=tensor.dtype)[0]


def _back(tensor: Tensor, extra: Mapping[str, Any], known: dict[str, Placed]) -> Placed:
    """The inverse over a tensor's grid; keys that share both share its cost."""
    values, grid = extra["deformation"], _grid(tensor, _affine(tensor))
    key = f"{sha256_array(np.asarray(values['u']))} {grid.shape} {grid.affine.tolist()}"
    if key not in known:
        known[key] = Deformation.from_dict(values).on(grid, inverse=True)
    return known[key]


def _plain(tensor: Tensor) -> Tensor:
    return tensor.as_tensor() if isinstance(tensor, MetaTensor) else tensor


def _affine(tensor: Tensor) -> Any:
    return torch.as_tensor(tensor.affine).cpu().numpy() if isinstance(tensor, MetaTensor) else None


def _grid(tensor: Tensor, affine: Any) -> Any:
    whole = np.eye(4) if affine is None else affine  # of no affine, the deformation's own
    return grid_for(tuple(volumes(_plain(tensor)).shape[1:]), whole)


def _file_of(tensor: Tensor) -> str:
    meta = tensor.meta if isinstance(tensor, MetaTensor) else {}
    return str(meta.get(ImageMetaKey.FILENAME_OR_OBJ, ""))
