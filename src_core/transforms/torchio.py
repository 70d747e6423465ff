"""``RandomDRDM``: a random transform for TorchIO, and ``DRDM``, which its history replays."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import torch
from torch.utils.data import get_worker_info
from torchio import Image, LabelMap, ScalarImage, SpatialTransform, Subject
from torchio.transforms.augmentation import RandomTransform

from src_core.cases.grid import Grid
from src_core.errors import ArgumentError
from src_core.fields.sampling import Mode
from src_core.generation.intensities import Intensities
from src_core.generation.pose import Pose
from src_core.transforms.changes import RandomChanges
from src_core.transforms.deformation import Deformation
from src_core.transforms.placed import Placed
from src_core.transforms.points import PointSpace, checked_space, deformed_points
from src_core.transforms.scan import grid_for
from src_core.transforms.sources import Source, as_source
from src_core.transforms.tensors import as_scan, below_of

__all__ = ["DRDM", "RandomDRDM"]


class RandomDRDM(RandomTransform, SpatialTransform):
    """One deformation for all images of a subject: a plausible new anatomy with its labels.

    Images may lie on different grids. A network sees the first channel of the first scalar image.

    Args:
        source: ``Live``, ``Bank``, or a model's name, a model's file or a bank's folder.
        image_interpolation: ``linear``, ``cubic`` (2D models) or ``nearest``.
        label_interpolation: ``linear`` (one-hot argmax) or ``nearest``.
        case: the subject's entry that names the case for a bank; None for the image's file.
        seed: of an own random generator, a different one in every worker of a loader; None to draw
            from torch's, as TorchIO's own transforms do.
        pose: draw a rotation, scale, shift and flip too, in one sampling with the deformation:
            ranges, or ``nnunet`` or ``small``.
        intensity: change intensities of scalar images too: ranges, or ``nnunet``. The inverse does
            not undo them.
        points: names of the subject's entries that are points and move along, (..., 3).
        point_space: of their coordinates: ``RAS`` (TorchIO's world) or ``LPS``, mm, or ``voxels``
            of the first image.
        kwargs: as for every TorchIO transform (``p``, ``include``, ...).
    """

    def __init__(
        self,
        source: Source | str | Path,
        image_interpolation: Mode = "linear",
        label_interpolation: Literal["linear", "nearest"] = "linear",
        case: str | None = None,
        seed: int | None = None,
        pose: Pose | str | None = None,
        intensity: Intensities | str | None = None,
        points: Sequence[str] = (),
        point_space: PointSpace = "RAS",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)  # type: ignore[no-untyped-call]
        self.source = as_source(source)
        self.image_interpolation = _possible(image_interpolation, get_args(Mode))
        self.label_interpolation = _possible(label_interpolation, ("linear", "nearest"))
        self.case, self.seed = case, seed
        self.changes = RandomChanges.of(pose, intensity)
        self.points, self.point_space = tuple(points), checked_space(point_space)
        self._chance = self.probability
        self._numbers: torch.Generator | None = None
        self._states: dict[int, torch.Tensor] = {}
        if seed is not None:
            self.probability = 1.0  # decided here, by numbers of its own

    def __call__(self, data: Any) -> Any:
        """As in TorchIO; with a seed, torch's own random numbers stay as they are."""
        if self.seed is None:
            return super().__call__(data)
        worker = get_worker_info()
        key = -1 if worker is None else worker.seed
        self._numbers = self._generator(key)
        try:
            if float(torch.rand(1, generator=self._numbers)) > self._chance:
                return data
            with torch.random.fork_rng(devices=[]):  # TorchIO's own calls draw from torch's
                return super().__call__(data)
        finally:
            self._states = {key: self._numbers.get_state()}
            self._numbers = None

    def apply_transform(self, subject: Subject) -> Subject:
        """Draw, then apply."""
        first = self._reference(subject)
        name = str(first.path or "") if self.case is None else str(subject[self.case])
        with np.errstate(all="warn", under="ignore"):
            scan = as_scan(first.data, first.affine, name=name)
            below = below_of(self._numbers)
            channels = sum(len(i.data) for i in self.get_images(subject) if _changes(i))
            deformation = self.changes.drawn(self.source(scan, below), below, channels)
        transform = DRDM(
            deformation=deformation,
            image_interpolation=self.image_interpolation,
            label_interpolation=self.label_interpolation,
            points=self.points,
            point_space=self.point_space,
            **self._get_base_args(),
        )
        moved = transform(subject)
        assert isinstance(moved, Subject)
        return moved

    def _reference(self, subject: Subject) -> Image:
        images = self.get_images(subject)
        if not images:
            raise ArgumentError("RandomDRDM() 'subject' must hold an image, got none")
        return next((image for image in images if isinstance(image, ScalarImage)), images[0])

    def _generator(self, worker: int) -> torch.Generator:
        """This worker's generator, in the state of its last draw."""
        generator = torch.Generator()
        if worker in self._states:
            return generator.set_state(self._states[worker])
        entropy = np.random.SeedSequence((self.seed or 0, worker + 1))
        return generator.manual_seed(int(entropy.generate_state(1, np.uint64)[0] >> np.uint64(1)))


class DRDM(SpatialTransform):
    """One known deformation, which can be replayed and undone.

    Args:
        deformation: as it was drawn.
        image_interpolation: ``linear``, ``cubic`` (2D models) or ``nearest``.
        label_interpolation: ``linear`` (one-hot argmax) or ``nearest``.
        points: names of the subject's entries that are points and move along.
        point_space: of their coordinates.
        kwargs: as for every TorchIO transform.
    """

    def __init__(
        self,
        deformation: Deformation,
        image_interpolation: Mode = "linear",
        label_interpolation: Literal["linear", "nearest"] = "linear",
        points: Sequence[str] = (),
        point_space: PointSpace = "RAS",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.deformation = deformation
        self.image_interpolation = _possible(image_interpolation, get_args(Mode))
        self.label_interpolation = _possible(label_interpolation, ("linear", "nearest"))
        self.points, self.point_space = tuple(points), checked_space(point_space)
        self.invert_transform = False
        self.args_names = ["deformation", "image_interpolation", "label_interpolation"]
        self.args_names += ["points", "point_space"]

    def apply_transform(self, subject: Subject) -> Subject:
        """Move every image, each on its own grid."""
        placed: dict[Grid, Placed] = {}
        channel = 0
        with np.errstate(all="warn", under="ignore"):
            for image in self.get_images(subject):
                grid = grid_for(tuple(image.data.shape[1:]), image.affine)
                if grid not in placed:
                    placed[grid] = self.deformation.on(grid, self.invert_transform)
                image.set_data(self._moved(image, placed[grid], channel))
                channel += len(image.data) if _changes(image) else 0
            self._move_points(subject)
        return subject

    def _move_points(self, subject: Subject) -> None:
        images = self.get_images(subject)
        if not images:
            return
        affine = np.asarray(images[0].affine, dtype=np.float64)
        for name in self.points:
            given = torch.as_tensor(subject[name])
            subject[name] = deformed_points(
                given, self.deformation, affine, self.point_space, self.invert_transform
            )
        subject.update_attributes()

    def _moved(self, image: Image, placed: Placed, channel: int) -> torch.Tensor:
        if isinstance(image, LabelMap):
            return placed.labels(image.data, self.label_interpolation)
        change = None if self.invert_transform else partial(self.deformation.changed, first=channel)
        return placed.image(image.data, self.image_interpolation, change)


def _changes(image: Image) -> bool:
    """Whether the intensities of an image may change."""
    return not isinstance(image, LabelMap)


def _possible(given: Any, possible: tuple[str, ...]) -> Any:
    if given not in possible:
        raise ArgumentError(f"an interpolation must be of {', '.join(possible)}, got {given!r}")
    return given
