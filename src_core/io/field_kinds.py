"""What the two or three values of a voxel of a field can be: the choices of ``--field-kind``.

Where x is a voxel of the new image and y the place that its content comes from, a field holds
y - x (a displacement) or y itself (a position), in the axes and unit that its kind names.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from src_core.errors import ArgumentError

__all__ = ["FIELD_KINDS", "FieldKind", "field_kinds", "kind_named"]


@dataclass(frozen=True)
class FieldKind:
    """A kind of field: a choice of ``--field-kind``.

    Attributes:
        name: the choice.
        words: what the values are.
        label: what the window calls it: the tools that write it.
        axes: LPS or RAS mm, voxels of the field's own grid, or mm as FSL counts them.
        positions: whether values are positions; None where FSL's rule decides.
        forward: whether x is a voxel of the source, and y where its content goes.
    """

    name: str
    words: str
    label: str
    axes: Literal["LPS", "RAS", "voxels", "FSL"]
    positions: bool | None = False
    forward: bool = False


FIELD_KINDS = (
    FieldKind("lps", "displacements in LPS mm", "ITK, ANTs, elastix, AFNI", "LPS"),
    FieldKind("ras", "displacements in RAS mm", "NiftyReg disp, intent 1006", "RAS"),
    FieldKind("lps-positions", "positions in LPS mm", "LPS positions, mm", "LPS", True),
    FieldKind("ras-positions", "positions in RAS mm", "SPM, NiftyReg def, MRtrix", "RAS", True),
    FieldKind("voxels", "displacements in voxels", "VoxelMorph, Learn2Reg", "voxels"),
    FieldKind("voxel-positions", "positions in voxels", "positions, voxels from 0", "voxels", True),
    FieldKind("fsl", "FSL's mm, relative or absolute by FSL's own rule", "FSL", "FSL", None),
    FieldKind("fsl-relative", "displacements in FSL's mm", "FSL, relative", "FSL"),
    FieldKind("fsl-absolute", "positions in FSL's mm", "FSL, absolute", "FSL", True),
    FieldKind(
        "modeling",
        "displacements in LPS mm from the source to the new image",
        "3D Slicer, modeling",
        "LPS",
        forward=True,
    ),
)


def field_kinds() -> dict[str, str]:
    """Names of the kinds, and what the window calls each."""
    return {kind.name: kind.label for kind in FIELD_KINDS}


def kind_named(name: str) -> FieldKind:
    """The kind of a name.

    Raises:
        ArgumentError: there is none.
    """
    known = {kind.name: kind for kind in FIELD_KINDS}
    if name not in known:
        raise ArgumentError(f"a field's kind must be of {', '.join(known)}, got {name!r}")
    return known[name]
