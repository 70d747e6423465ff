"""Points of a sample moved with its images: in the world of their affine, RAS or LPS mm, or voxels.

What the image is pulled back by takes points the other way, so that they stay on their tissue.
"""

from __future__ import annotations

from typing import Any, Literal, get_args

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from src_core.cases.grid import Grid
from src_core.cases.point_set import to_lps
from src_core.errors import ArgumentError
from src_core.transforms.deformation import Deformation

__all__ = ["PointSpace", "checked_space", "deform_points", "deformed_points"]

#: What coordinates count: mm along the axes of the affine (RAS), mm in LPS, or voxels of the image.
PointSpace = Literal["RAS", "LPS", "voxels"]


def deform_points(
    points: Tensor | ArrayLike,
    deformation: Deformation,
    *,
    affine: ArrayLike | None = None,
    space: PointSpace = "RAS",
    inverse: bool = False,
) -> Tensor:
    """Points of an image in the image that ``deform`` gives; ``inverse`` undoes it.

    Args:
        points: (..., 3), or (..., 2) of a picture.
        deformation: as ``random_deform`` gave it.
        affine: voxel -> RAS mm of the image that the points are of; without one, that of the image
            it was drawn for.
        space: of the coordinates.
        inverse: undo it.

    Returns:
        A tensor of the same shape and type, whole numbers as float32.

    Raises:
        ArgumentError: no points, or no such space.
    """
    given = torch.as_tensor(points)
    whole = deformation.grid.affine if affine is None else np.asarray(affine, dtype=np.float64)
    if whole.shape == (3, 3):
        whole = np.insert(np.insert(whole, 2, 0, axis=0), 2, [0, 0, 1, 0], axis=1)
    return deformed_points(given, deformation, whole, checked_space(space), inverse)


def deformed_points(
    points: Tensor,
    deformation: Deformation,
    affine: NDArray[np.float64],
    space: PointSpace,
    inverse: bool,
) -> Tensor:
    """What ``deform_points`` gives, for an affine (4, 4); an identity counts as none."""
    if points.dim() < 1 or points.shape[-1] not in (2, 3):
        raise ArgumentError(
            f"points must be (..., 3), or (..., 2) of a picture, got {tuple(points.shape)}"
        )
    flat = points.detach().cpu().double().reshape(-1, points.shape[-1]).numpy()
    if not len(flat):
        return points.clone()
    place = np.pad(flat, ((0, 0), (0, 3 - flat.shape[1])))
    to_world = _to_world(deformation.grid, affine, space)
    moved = deformation.points(_through(to_world, place), inverse).positions
    back = _through(np.asarray(np.linalg.inv(to_world)), moved)[:, : flat.shape[1]]
    kind = points.dtype if points.dtype.is_floating_point else torch.float32
    return torch.from_numpy(back).reshape(points.shape).to(points.device, kind)


def checked_space(space: str) -> PointSpace:
    """A space that exists.

    Raises:
        ArgumentError: there is none of that name.
    """
    known = get_args(PointSpace)
    if space not in known:
        raise ArgumentError(f"a space of points must be of {', '.join(known)}, got {space!r}")
    return space  # type: ignore[return-value]


def _to_world(own: Grid, affine: NDArray[np.float64], space: PointSpace) -> NDArray[np.float64]:
    """From coordinates to LPS mm, (4, 4).

    As for images, an identity affine counts as none: then the world is the voxels of ``own``.
    """
    lps = np.diag([*to_lps(np.ones((1, 3)), "RAS")[0], 1.0])
    unknown = np.array_equal(affine, np.eye(4))
    voxels = own.affine if unknown else affine
    if space == "voxels":
        return np.asarray(lps @ voxels)
    ras = own.affine if unknown else np.eye(4)
    return np.asarray(lps @ ras if space == "RAS" else lps @ ras @ lps)


def _through(matrix: NDArray[Any], points: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(points @ matrix[:3, :3].T + matrix[:3, 3])
