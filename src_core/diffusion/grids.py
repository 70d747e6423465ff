"""The grids of a random field: the control grid, over twice the image, and those made of it.

Velocities are drawn on the control grid, ``control`` voxels per side, and integrated on the
enlarged grid, ``refine`` times finer. Its centre half is the state grid, which lies over the
image.
"""

from __future__ import annotations

from torch import Tensor

from src_core.diffusion.schedule import Schedule

__all__ = ["crop", "state_size"]


def state_size(schedule: Schedule) -> int:
    """Voxels per side of the state grid over the image."""
    return schedule.control * schedule.refine // 2


def crop(field: Tensor) -> Tensor:
    """The centre half of an enlarged field, along each spatial axis: what lies over the image."""
    for axis in range(2, field.dim()):
        quarter = field.shape[axis] // 4
        field = field.narrow(axis, quarter, field.shape[axis] - 2 * quarter)
    return field
