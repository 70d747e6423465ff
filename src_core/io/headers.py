"""What a header says of a file's values, and what the file therefore holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from src_core.io.field_kinds import FieldKind

__all__ = ["Header", "Verdict"]


@dataclass(frozen=True)
class Header:
    """What a header says of values.

    Attributes:
        format: name of the file's format in the table of formats.
        name: of the file, lower case.
        ndim: axes of space.
        count: values of a voxel.
        floating: whether they are floating-point numbers.
        frames: voxels along an axis of time.
        stacked: NIfTI with the values along the fifth axis, where the standard has vectors.
        first: NIfTI with the values along the first axis, as PyTorch has channels.
        intent: NIfTI's intent code, with its name and first parameter.
        description: NIfTI's ``descrip``.
        labels: names of AFNI's sub-bricks.
        axis: NRRD's kind of the axis that the values lie along.
        keys: other entries of an NRRD header, lower case.
    """

    format: str
    name: str
    ndim: int
    count: int
    floating: bool
    frames: int = 1
    stacked: bool = False
    first: bool = False
    intent: int = 0
    intent_name: str = ""
    intent_p1: float = 0.0
    description: str = ""
    labels: str = ""
    axis: str = ""
    keys: Mapping[str, str] = field(default_factory=dict)

    @property
    def vectors(self) -> bool:
        """Whether a voxel has a value for each axis of space."""
        return self.count == 3 or (self.count == 2 and self.ndim == 2)


@dataclass(frozen=True)
class Verdict:
    """What a file holds.

    Attributes:
        holds: ``other`` is neither field nor image.
        what: the content, in a few words.
        why: what says so.
        kind: of a field; None where the header does not say which.
        do: what to do with a file that cannot be read.
        certain: whether the header names the kind; values are looked at where it does not.
    """

    holds: Literal["field", "image", "labels", "other"]
    what: str
    why: str
    kind: FieldKind | None = None
    do: str = ""
    certain: bool = True
