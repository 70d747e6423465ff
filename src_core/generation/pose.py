"""Options of a random pose: rotation, scale, shift and flip of a whole image.

Defaults are those of nnU-Net v2 (Isensee et al. 2021, doi:10.1038/s41592-020-01008-z).
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from src_core.errors import InputError
from src_core.errors.options import option_class
from src_core.generation.preset_text import parse_preset, preset_text

__all__ = ["POSES", "POSE_FORM", "Pose", "parse_pose", "pose_text"]

#: How a pose is written in a shell.
POSE_FORM = "nnunet, small, none, or changes such as small,shift=10,scale=0.8:1.2"
_Probability = Annotated[float, Field(ge=0, le=1)]
_Factor = Annotated[float, Field(gt=0, allow_inf_nan=False)]


@option_class
class Pose:
    """Ranges of a random pose, and how often each part of it is drawn.

    The image turns about the centre of its grid; axes are those of the voxels. With a 2D model all
    of it happens in the plane of the slices.
    """

    rotation_2d: float = Field(
        default=180, ge=0, le=180, description="Largest angle in the slice, 2D models, degrees."
    )
    rotation_3d: float = Field(
        default=30, ge=0, le=180, description="Largest angle about each axis, 3D models, degrees."
    )
    scale: tuple[_Factor, _Factor] = Field(
        default=(0.7, 1.4), description="Smallest and largest factor of size."
    )
    shift: float = Field(
        default=0, ge=0, allow_inf_nan=False, description="Largest shift along each axis, mm."
    )
    flip: str = Field(
        default="xyz", pattern="^x?y?z?$", description="Voxel axes that may be flipped."
    )
    rotation_probability: _Probability = 0.2
    scale_probability: _Probability = 0.2
    shift_probability: _Probability = 1
    flip_probability: _Probability = 0.5

    def __post_init__(self) -> None:
        if self.scale[0] > self.scale[1]:
            raise InputError(
                f"no size is between {self.scale[0]:g} and {self.scale[1]:g} times",
                option="scale",
                expected="a smaller and a larger factor",
            )


#: Poses by name.
POSES = {
    "nnunet": Pose(),
    "small": Pose(
        rotation_2d=15,
        rotation_3d=15,
        scale=(0.9, 1.1),
        shift=5,
        flip="",
        rotation_probability=1,
        scale_probability=1,
    ),
}


def parse_pose(text: str) -> Pose | None:
    """``nnunet``, ``small``, ``none``, or changes: ``small,shift=10,scale=0.8:1.2,flip=x``.

    Raises:
        InputError: it is not written so.
    """
    return parse_preset(text, "pose", POSES, POSE_FORM)


def pose_text(pose: Any) -> str:
    """A pose, or its fields as a mapping, as ``parse_pose`` reads it."""
    return preset_text(pose, POSES, Pose)
