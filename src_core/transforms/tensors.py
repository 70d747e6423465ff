"""Plain PyTorch: draw a deformation for an image, apply it, undo it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from numpy.typing import ArrayLike
from torch import Tensor

from src_core.cases.grid import Grid
from src_core.errors import ArgumentError, InputError
from src_core.fields.sampling import Mode
from src_core.generation.intensities import Intensities
from src_core.generation.pose import Pose
from src_core.transforms.changes import RandomChanges
from src_core.transforms.deformation import Deformation
from src_core.transforms.scan import Below, Scan, grid_for, volumes
from src_core.transforms.sources import Source, as_source

__all__ = ["Deformed", "as_scan", "below_of", "deform", "random_deform"]


@dataclass(frozen=True, eq=False)
class Deformed:
    """An image, and labels if there were, after one deformation, and the deformation itself."""

    image: Tensor
    labels: Tensor | None
    deformation: Deformation


def random_deform(
    image: Tensor,
    labels: Tensor | None = None,
    *,
    source: Source | str | Path,
    generator: torch.Generator,
    affine: ArrayLike | None = None,
    spacing: float | Sequence[float] | None = None,
    name: str = "",
    mode: Mode = "linear",
    label_mode: Literal["linear", "nearest"] = "linear",
    pose: Pose | str | None = None,
    intensity: Intensities | str | None = None,
) -> Deformed:
    """A new anatomy of an image, with its labels.

    Args:
        image: (C, X, Y) or (C, X, Y, Z); a network sees the first channel.
        labels: the same, whole numbers, any number of channels.
        source: ``Live``, ``Bank``, or a model's name, a model's file or a bank's folder.
        generator: the random numbers; no others are used.
        affine: voxel -> RAS mm.
        spacing: mm, where there is no affine. Without either 1 mm, and a bank's own grid.
        name: of the case, which a bank asks for.
        mode: of the image; cubic with a 2D model only.
        label_mode: one-hot linear argmax, or nearest.
        pose: draw a rotation, scale, shift and flip too, in one sampling with the deformation:
            ranges, or ``nnunet`` or ``small``.
        intensity: change intensities of the image too: ranges, or ``nnunet``.

    Returns:
        Tensors of the same shapes and types, and the deformation with all that was drawn, to save,
        replay or undo.

    Raises:
        ArgumentError: shapes that are no image and its labels.
        InputError: the source has nothing for this image.
    """
    if labels is not None and labels.shape[1:] != image.shape[1:]:
        raise ArgumentError(
            f"random_deform() 'labels' must be {tuple(image.shape[1:])} as the image, "
            f"got {tuple(labels.shape[1:])}"
        )
    changes, below = RandomChanges.of(pose, intensity), below_of(generator)
    deformation = as_source(source)(as_scan(image, affine, spacing, name), below)
    deformation = changes.drawn(deformation, below, len(image))
    placed = deformation.on(_grid(tuple(volumes(image).shape[1:]), deformation, affine, spacing))
    moved = placed.image(volumes(image), mode, deformation.changed).reshape(image.shape)
    if labels is None:
        return Deformed(moved, None, deformation)
    maps = placed.labels(volumes(labels), label_mode).reshape(labels.shape)
    return Deformed(moved, maps, deformation)


def deform(
    values: Tensor,
    deformation: Deformation,
    *,
    affine: ArrayLike | None = None,
    spacing: float | Sequence[float] | None = None,
    inverse: bool = False,
    mode: Mode | Literal["labels"] = "linear",
    intensities: bool = True,
) -> Tensor:
    """A deformation that was drawn before, on a tensor of any grid; ``inverse`` undoes it.

    With its pose, and with its intensities but for labels, ``nearest`` and ``inverse``: those are
    not undone.

    Args:
        values: (C, X, Y) or (C, X, Y, Z).
        deformation: as ``random_deform`` gave it.
        affine: voxel -> RAS mm of ``values``.
        spacing: mm, where there is no affine. Without either, the grid it was drawn on.
        inverse: undo it.
        mode: ``labels`` is one-hot linear argmax.
        intensities: whether the intensities that were drawn with it are changed as well.
    """
    whole = volumes(values)
    grid = _grid(tuple(whole.shape[1:]), deformation, affine, spacing)
    placed = deformation.on(grid, inverse)
    if mode == "labels":
        return placed.labels(whole).reshape(values.shape)
    change = intensities and not inverse and mode != "nearest"
    moved = placed.image(whole, mode, deformation.changed if change else None)
    return moved.reshape(values.shape)


def as_scan(
    image: Tensor,
    affine: ArrayLike | None = None,
    spacing: float | Sequence[float] | None = None,
    name: str = "",
) -> Scan:
    """What a source is asked about: the first channel of (C, X, Y) or (C, X, Y, Z)."""
    first = volumes(image)[0].detach().cpu()
    if first.dtype in (torch.float16, torch.bfloat16):
        first = first.float()
    values = (first.byte() if first.dtype == torch.bool else first).numpy()
    return Scan(values, grid_for(values.shape, affine, spacing), name)


def below_of(generator: torch.Generator | None) -> Below:
    """Whole numbers by a generator; None for torch's own."""
    return lambda n: int(torch.randint(n, (1,), generator=generator).item())


def _grid(shape: tuple[int, ...], deformation: Deformation, affine: Any, spacing: Any) -> Grid:
    """The grid that is given; without one, the deformation's."""
    if affine is not None or spacing is not None:
        return grid_for(shape, affine, spacing)
    if shape != deformation.grid.shape:
        raise InputError(
            f"an image of {' x '.join(map(str, shape))} without an affine",
            where=repr(deformation),
            expected="the shape it was drawn for",
            do="give the image's affine or spacing",
        )
    return deformation.grid
